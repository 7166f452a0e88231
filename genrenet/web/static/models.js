// The models of the server, and what their answers are called: a tagger gives tags, not genres.

const known = new Map();

const WORDS = {
  genres: { one: "genre", many: "genres", title: "Genres", best: "Genre", sure: "confidence" },
  tags: { one: "tag", many: "tags", title: "Tags", best: "Most likely tag", sure: "score" },
};

/** Take the models as the server lists them. */
export function learnModels(models) {
  for (const model of models) known.set(model.name, model);
}

/** The names of all models. */
export const modelNames = () => [...known.keys()];

/** The labels of a model, undefined where the server does not have it. */
export const labelsOf = (name) => known.get(name)?.genres;

/** What the labels of a model are called; `kind` is what is known of one that is not served. */
export const wordsOf = (name, kind = "genres") => WORDS[known.get(name)?.kind ?? kind];

/** "name (12 genres)". */
export const described = ({ name, genres, kind }) => `${name} (${genres.length} ${WORDS[kind].many})`;
