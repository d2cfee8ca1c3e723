// The operations of the REST door, shown and tried with Swagger UI; it reads our schema.

const place = document.getElementById("operations");

globalThis.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  // Thousands of schemas below the operations help nobody: each stands with its operation.
  defaultModelsExpandDepth: -1,
  // Colours set on single elements, which our pages do not take.
  syntaxHighlight: false,
  // A session changes nothing without the token of a page of ours.
  requestInterceptor: (request) => {
    request.headers["X-CSRFToken"] = place.dataset.token;
    return request;
  },
});
