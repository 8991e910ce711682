"use strict";

// ReDoc's footer loads a logo from cdn.redoc.ly, and has no option against it. Nothing on this page
// asks another host, so an image takes no address but this host's, whichever way it is set.
const image = HTMLImageElement.prototype;
const { set: setSource, ...source } = Object.getOwnPropertyDescriptor(image, "src");

const isHere = (address) => {
  const { origin, protocol } = new URL(address, location.href);
  return protocol === "data:" || origin === location.origin;
};

Object.defineProperty(image, "src", {
  ...source,
  set(address) {
    if (isHere(address)) setSource.call(this, address);
  },
});
image.setAttribute = function (name, value) {
  if (name !== "src" || isHere(value)) Element.prototype.setAttribute.call(this, name, value);
};

const system = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const typography = {
  fontFamily: system,
  headings: { fontFamily: system },
  code: { fontFamily: "ui-monospace, monospace" },
};
// ReDoc has light colours only.
const dark = {
  colors: {
    primary: { main: "#6fd3ba" },
    success: { main: "#6fd3ba" },
    error: { main: "#ff8a8f" },
    text: { primary: "#e4e6e6", secondary: "#b7bcbf" },
    border: { dark: "#5b6266", light: "#3a4044" },
    responses: {
      success: { color: "#6fd3ba" },
      error: { color: "#ff8a8f" },
    },
  },
  schema: { nestedBackground: "#262b2e", typeNameColor: "#e4e6e6", typeTitleColor: "#b7bcbf" },
  sidebar: { backgroundColor: "#15191b", textColor: "#e4e6e6", activeTextColor: "#6fd3ba" },
  rightPanel: { backgroundColor: "#101314" },
  codeBlock: { backgroundColor: "#1c2022" },
  typography: {
    ...typography,
    code: { ...typography.code, color: "#ff9d8a", backgroundColor: "#262b2e" },
    links: { color: "#6fd3ba", visited: "#6fd3ba", hover: "#a5e8d7" },
  },
};

// ReDoc takes its colours when it starts, so it starts anew when the system changes them.
let place = document.getElementById("redoc");
const night = matchMedia("(prefers-color-scheme: dark)");

function show() {
  const empty = place.cloneNode(false);
  place.replaceWith(empty);
  place = empty;
  Redoc.init(place.dataset.schema, { theme: night.matches ? dark : { typography } }, place);
}

night.addEventListener("change", show);
show();
