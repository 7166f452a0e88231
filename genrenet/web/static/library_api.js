// What the server knows of the library as a whole.

import { getJson } from "./api.js";

const asked = (query) =>
  Object.entries(query)
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join("&");

/** Ask for `what` ("overview", "songs", "artists", ...); `query` holds its parameters. */
export const askLibrary = (what, query = {}, signal = null) => getJson(`api/library/${what}?${asked(query)}`, signal);

/** The address of something that the browser fetches by itself, such as a download. */
export const libraryAddress = (what, query = {}) => `api/library/${what}?${asked(query)}`;
