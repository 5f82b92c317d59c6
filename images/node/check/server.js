require("node:http")
  .createServer((_request, response) => response.end("hello"))
  .listen(8080);
// As the first process of a container it gets no default handling of signals.
process.on("SIGTERM", () => process.exit(0));
