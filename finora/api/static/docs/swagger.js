"use strict";

const place = document.getElementById("swagger-ui");

// Swagger UI has dark colours, and leaves it to the page when to show them.
const night = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", night.matches);
night.addEventListener("change", follow);
follow();

// The business of a key, or undefined for a key that opens none.
async function businessOf(key) {
  const headers = { Accept: "application/json", Authorization: `Bearer ${key}` };
  const answer = await fetch(place.dataset.business, { headers, cache: "no-store" });
  return answer.ok ? (await answer.json()).data.businessId : undefined;
}

// The document with this as the example of every `businessId`, which "Try it out" starts with.
function withBusiness(document, businessId) {
  const parameters = Object.values(document.paths).flatMap((path) =>
    Object.values(path).flatMap((operation) => operation.parameters ?? []),
  );
  for (const parameter of parameters) {
    if (parameter.name === "businessId") parameter.example = businessId;
  }
  return document;
}

// Once a key is given, its business is filled in; once it is taken back, it is not any more.
const fillsInBusiness = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize, system) => (given) => {
          const done = authorize(given);
          const key = Object.values(given)[0]?.value;
          if (key) businessOf(key).then((businessId) => fillIn(system, businessId), () => {});
          return done;
        },
        logout: (logout, system) => (schemes) => {
          fillIn(system, undefined);
          return logout(schemes);
        },
      },
    },
  },
});

function fillIn({ specActions, specSelectors }, businessId) {
  specActions.updateJsonSpec(withBusiness(specSelectors.specJson().toJS(), businessId));
}

SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [fillsInBusiness],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  // The key is kept for this page view only.
  persistAuthorization: false,
  // No validator badge: it would send the page's address to another host.
  validatorUrl: null,
});
