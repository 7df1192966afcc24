// The API by its own document.
window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#page" });
