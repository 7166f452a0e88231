// What stands upon the points of the map: names of genres, marked songs, a path, a frame.

const FONT = "600 13px system-ui, sans-serif";
const GAP = 6; // px between labels
const FEW = 60; // songs that are marked apart from each other

/**
 * Draw it. `marks` has `labels` ({text, x, y}, the most important first), `hits` (numbers),
 * `path` (numbers in order), `chosen` and `hover` (a number or -1), `frame` (two corners in pixels
 * or null) and `aim` (whether the centre is pointed out).
 */
export function drawOverlay(pen, points, view, marks) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink");
  const ground = style.getPropertyValue("--bg");
  const accent = style.getPropertyValue("--accent");
  pen.clearRect(0, 0, view.width, view.height);
  const spot = (i) => [view.left(points.x[i]), view.top(points.y[i])];
  const ring = (i, radius, width, colour, apart = true) => {
    const [left, top] = spot(i);
    pen.beginPath();
    pen.arc(left, top, radius, 0, 2 * Math.PI);
    pen.lineWidth = width + 3;
    pen.strokeStyle = ground;
    if (apart) pen.stroke();
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.stroke();
  };
  const few = marks.hits.length <= FEW; // the points under many rings would not be seen
  for (const i of marks.hits) ring(i, few ? 6 : 4, few ? 2 : 1, few ? accent : ink, few);
  drawLabels(pen, view, marks.labels, ink, ground);
  if (marks.path.length) drawPath(pen, marks.path.map(spot), ink, ground);
  if (marks.chosen >= 0) ring(marks.chosen, 10, 3, ink);
  if (marks.hover >= 0) ring(marks.hover, 8, 2, ink);
  if (marks.aim) drawAim(pen, view, ink, ground);
  if (marks.frame) drawFrame(pen, marks.frame, accent);
}

function drawLabels(pen, view, labels, ink, ground) {
  pen.font = FONT;
  pen.textBaseline = "middle";
  pen.textAlign = "center";
  pen.lineJoin = "round";
  const taken = [];
  for (const { text, x, y } of labels) {
    const half = pen.measureText(text).width / 2 + GAP;
    const left = view.left(x);
    const top = view.top(y);
    const box = [left - half, top - 10, left + half, top + 10];
    const outside = box[0] < 0 || box[1] < 0 || box[2] > view.width || box[3] > view.height;
    if (outside || taken.some((other) => meet(box, other))) continue;
    taken.push(box);
    pen.lineWidth = 4;
    pen.strokeStyle = ground;
    pen.strokeText(text, left, top);
    pen.fillStyle = ink;
    pen.fillText(text, left, top);
  }
}

const meet = (one, other) => one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];

/** A line through the songs of a path, with a number at each. */
function drawPath(pen, spots, ink, ground) {
  pen.lineJoin = "round";
  for (const [width, colour] of [[5, ground], [2, ink]]) {
    pen.beginPath();
    spots.forEach(([left, top], i) => (i ? pen.lineTo(left, top) : pen.moveTo(left, top)));
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.stroke();
  }
  pen.font = "600 11px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  spots.forEach(([left, top], i) => {
    pen.beginPath();
    pen.arc(left, top, 9, 0, 2 * Math.PI);
    pen.fillStyle = ink;
    pen.fill();
    pen.lineWidth = 1.5;
    pen.strokeStyle = ground;
    pen.stroke();
    pen.fillStyle = ground;
    pen.fillText(String(i + 1), left, top + 0.5);
  });
}

function drawAim(pen, view, ink, ground) {
  const [left, top] = [view.width / 2, view.height / 2];
  for (const [width, colour] of [[4, ground], [1.5, ink]]) {
    pen.beginPath();
    for (const [right, down] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      pen.moveTo(left + 4 * right, top + 4 * down);
      pen.lineTo(left + 12 * right, top + 12 * down);
    }
    pen.lineWidth = width;
    pen.strokeStyle = colour;
    pen.stroke();
  }
}

function drawFrame(pen, [[left, top], [right, bottom]], accent) {
  pen.lineWidth = 2;
  pen.strokeStyle = accent;
  pen.setLineDash([6, 4]);
  pen.strokeRect(left, top, right - left, bottom - top);
  pen.setLineDash([]);
}
