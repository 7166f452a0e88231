// Moving in the map: with a mouse, fingers, the wheel and keys.

const STEP = 80; // px of an arrow key
const STILL = 5; // px that a click may wander

/**
 * Listen to the map's element. `act` has `move(right, down)`, `zoom(factor, left, top)`, `whole()`,
 * `hover(left, top)` (null when the pointer has left), `click(left, top)`, `frame(from, to, done)`
 * (two corners) and `enter()`; `framing()` says whether dragging draws a frame.
 */
export function listen(element, act, framing) {
  const down = new Map(); // pointers by id: where they are
  let start = null;
  let framed = false;
  const place = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const spread = () => {
    const [[a, b], [c, d]] = [...down.values()];
    return { gap: Math.hypot(a - c, b - d), middle: [(a + c) / 2, (b + d) / 2] };
  };

  element.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    element.setPointerCapture(event.pointerId);
    down.set(event.pointerId, place(event));
    start = down.size === 1 ? place(event) : null; // two fingers are no click
    framed = down.size === 1 && (event.shiftKey || framing());
  });
  element.addEventListener("pointermove", (event) => {
    const now = place(event);
    const before = down.get(event.pointerId);
    if (!before) {
      act.hover(...now);
      return;
    }
    if (down.size === 2) {
      const then = spread();
      down.set(event.pointerId, now);
      const { gap, middle } = spread();
      act.move(middle[0] - then.middle[0], middle[1] - then.middle[1]);
      if (then.gap) act.zoom(gap / then.gap, ...middle);
      return;
    }
    down.set(event.pointerId, now);
    if (framed) act.frame(start, now, false);
    else if (!start || Math.hypot(now[0] - start[0], now[1] - start[1]) > STILL) {
      start = null;
      act.move(now[0] - before[0], now[1] - before[1]);
    }
  });
  const release = (event) => {
    const now = place(event);
    if (!down.delete(event.pointerId)) return;
    const moved = start && Math.hypot(now[0] - start[0], now[1] - start[1]) > STILL;
    if (framed && moved) act.frame(start, now, event.type === "pointerup");
    else if (start && event.type === "pointerup") act.click(...now);
    start = null;
    framed = false;
  };
  element.addEventListener("pointerup", release);
  element.addEventListener("pointercancel", release);
  element.addEventListener("pointerleave", () => act.hover(null));
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const lines = event.deltaMode ? 16 : 1;
      act.zoom(Math.exp((-event.deltaY * lines) / (event.ctrlKey ? 100 : 400)), ...place(event));
    },
    { passive: false },
  );
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      ArrowLeft: () => act.move(STEP, 0),
      ArrowRight: () => act.move(-STEP, 0),
      ArrowUp: () => act.move(0, STEP),
      ArrowDown: () => act.move(0, -STEP),
      "+": () => act.zoom(1.5),
      "=": () => act.zoom(1.5),
      "-": () => act.zoom(1 / 1.5),
      0: () => act.whole(),
      Home: () => act.whole(),
      Enter: () => act.enter(),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}
