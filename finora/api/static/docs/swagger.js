"use strict";

const place = document.getElementById("swagger-ui");

SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  // The key is kept for this page view only.
  persistAuthorization: false,
  // No validator badge: it would send the page's address to another host.
  validatorUrl: null,
});
