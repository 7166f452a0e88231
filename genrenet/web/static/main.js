// The page: its views, and what all of them need to know of the server.

import { getColours, getHealth, getModels } from "./api.js";
import { fixColours } from "./genre_colours.js";
import { many } from "./format.js";
import { fillNavigation, pointOut, takeSearches } from "./navigation.js";
import { address, Router } from "./router.js";
import { SongView } from "./song_view.js";
import { LIBRARY_VIEWS } from "./views.js";
import { byId, show } from "./dom.js";

const song = new SongView();

function footer({ state, songs, files }) {
  const scanned = songs ? `${many(songs, "song")} scanned` : "";
  const text = {
    none: "not scanned",
    reading: "the table of the scan is being read",
    ready: scanned,
  }[state];
  byId("library").textContent = `The music folder: ${many(files ?? 0, "file")}${text ? `, ${text}` : ""}.`;
}

/** Where a library is served, all views; without one, the song's alone, as the home. */
function openViews(library) {
  const served = library.index !== "none";
  const views = served ? LIBRARY_VIEWS.map(({ View, text }) => [new View(), text]) : [];
  const all = [...views.map(([view]) => view), song];
  const router = new Router({ views: all, home: served ? "" : "song", onChange: (view) => pointOut(view.name) });
  song.router = router;
  for (const view of all) {
    view.router = router;
    if (!view.element.isConnected) byId("views-end").before(view.element);
  }
  show(byId("without-library"), !served);
  if (served) {
    const links = views.filter(([, text]) => text).map(([view, text]) => [view.name, text]);
    fillNavigation([...links.slice(0, 1), ["song", "Song"], ...links.slice(1)]);
    if (router.views.has("search")) takeSearches((words) => router.go(address("search", [], { q: words })));
  }
  return router;
}

async function greet() {
  const [health, { models }, { genres }] = await Promise.all([getHealth(), getModels(), getColours()]);
  fixColours(genres);
  song.offer(models, health.limits.upload_bytes);
  await openViews(health.library).follow({ first: true });
  footer(health.library);
  // A large library is read in the background: look again until it is.
  for (let pause = 2000; byId("library").textContent.includes("being read"); pause *= 1.5) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    footer((await getHealth()).library);
  }
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // an address of a view is no place in the page
  byId("main").focus();
});
greet().catch((error) => {
  show(song.element);
  song.refuse(error.message);
});
