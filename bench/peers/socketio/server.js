// `node server.js PORT CONTROL_PORT`: a socket.io server as its page on performance recommends it:
// WebSocket alone, no compression, and nothing kept of the first request. What is posted to the
// control port goes to everybody in the room.
"use strict";

const http = require("node:http");
const { Server } = require("socket.io");

const [port, controlPort] = process.argv.slice(2).map(Number);
const listener = http.createServer();
const io = new Server(listener, { transports: ["websocket"], serveClient: false });

io.engine.on("connection", (socket) => {
  socket.request = null;
});
io.on("connection", (socket) => socket.join("bench"));

const control = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    io.to("bench").emit("message", JSON.parse(Buffer.concat(parts).toString()));
    response.end("sent\n");
  });
});

listener.listen({ port, host: "127.0.0.1", backlog: 4096 }, () => {
  control.listen(controlPort, "127.0.0.1", () => console.log(`ready on port ${port}`));
});
