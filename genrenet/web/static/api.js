// The server's API. Addresses are relative, so that a proxy may serve the page under any path.

/** What the server, or the way to it, answers instead of a result. */
export class ApiError extends Error {
  constructor(message, status = 0, retryAfter = null) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

const UNREACHABLE = "The server does not respond. Is it still running, and are you online?";

function errorOf(status, text, retryAfter) {
  let message = `The server responded with status ${status}.`;
  try {
    message = JSON.parse(text).error || message;
  } catch {
    // A proxy's own page, say: the status has to do.
  }
  return new ApiError(message, status, retryAfter);
}

/** Fetch, with an error of the page where the server does not answer. */
export async function reach(address, options) {
  try {
    return await fetch(address, options);
  } catch (error) {
    throw error.name === "AbortError" ? error : new ApiError(UNREACHABLE);
  }
}

export async function getJson(address, signal, more = {}) {
  const answer = await reach(address, { signal, headers: { Accept: "application/json" }, ...more });
  if (!answer.ok) throw errorOf(answer.status, await answer.text(), answer.headers.get("Retry-After"));
  return answer.headers.get("Content-Type")?.startsWith("application/json") ? answer.json() : answer.text();
}

/** Send JSON; the answer is JSON too, or a text. */
export const postJson = (address, body) =>
  getJson(address, null, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
  });

export const getHealth = () => getJson("api/health");
export const getModels = () => getJson("api/models");
export const getColours = () => getJson("api/colours");
export const complete = (prefix, limit, signal) =>
  getJson(`api/library?prefix=${encodeURIComponent(prefix)}&limit=${limit}`, signal);
export const audioAddress = (path) => `api/audio?path=${encodeURIComponent(path)}`;

export const getScan = (signal) => getJson("api/library/scan", signal);
export const startScan = (retry) => postJson("api/library/scan", { retry });
export const stopScan = () => getJson("api/library/scan", null, { method: "DELETE" });

/** Hear of a scan until it has ended: `onStatus` gets each event of the stream. */
export async function followScan(onStatus, signal) {
  const answer = await fetch("api/library/scan", { signal, headers: { Accept: "application/x-ndjson" } });
  if (!answer.ok) throw errorOf(answer.status, await answer.text());
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) onStatus(JSON.parse(line));
  }
}

/** Note the right genre of a song of the library; without one, what was noted is taken back. */
export async function correct(path, genre) {
  const answer = await postJson("api/correct", { path, genre: genre || null });
  document.dispatchEvent(new Event("corrected")); // views that keep genres fetch them again
  return answer;
}

/**
 * Classify a song, and follow the work.
 *
 * `request` has a `path` inside the served folder or a `file`, and perhaps a `model`. `onEvent` gets
 * each event of the stream, and `onSent` the share of an upload that is sent. Aborting the
 * `signal` ends the work on the server too. Resolves with the last event, "result"; rejects with an
 * `ApiError`, or an `AbortError`.
 *
 * XMLHttpRequest, for `fetch` cannot tell how much of an upload is sent.
 */
export function classify(request, { onEvent, onSent, signal }) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    let read = 0;
    const take = () => {
      if (call.status !== 200) return;
      const end = call.responseText.lastIndexOf("\n") + 1;
      const lines = call.responseText.slice(read, end).split("\n");
      read = Math.max(read, end);
      for (const line of lines.filter((text) => text.trim())) {
        const event = JSON.parse(line);
        if (event.event === "error") reject(new ApiError(event.error, event.status));
        else if (event.event === "result") resolve(event);
        else onEvent(event);
      }
    };
    const stop = () => call.abort();
    signal.addEventListener("abort", stop, { once: true });
    call.open("POST", "api/classify");
    call.setRequestHeader("Accept", "application/x-ndjson");
    call.upload.onprogress = (event) => event.lengthComputable && onSent(event.loaded / event.total);
    call.onprogress = take;
    call.onload = () => {
      take();
      // After a result or an error these come too late to matter.
      if (call.status === 200) reject(new ApiError("The response of the server was interrupted. Try again."));
      else reject(errorOf(call.status, call.responseText, call.getResponseHeader("Retry-After")));
    };
    call.onerror = () => reject(new ApiError(UNREACHABLE));
    call.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    call.onloadend = () => signal.removeEventListener("abort", stop);
    send(call, request);
  });
}

function send(call, { path, file, model }) {
  if (file) {
    const form = new FormData();
    // Fields before the file: the server knows them when the file begins.
    form.append("timeline", "true");
    if (model) form.append("model", model);
    form.append("file", file, file.name);
    call.send(form);
  } else {
    call.setRequestHeader("Content-Type", "application/json");
    call.send(JSON.stringify({ path, timeline: true, ...(model ? { model } : {}) }));
  }
}
