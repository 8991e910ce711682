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

const place = document.getElementById("redoc");
const system = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

Redoc.init(
  place.dataset.schema,
  {
    theme: {
      typography: {
        fontFamily: system,
        headings: { fontFamily: system },
        code: { fontFamily: "ui-monospace, monospace" },
      },
    },
  },
  place,
);
