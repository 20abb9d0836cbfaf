// The SIP messages a page exchanges over its WebSockets, seen from outside the page.

import { EventEmitter, once } from "node:events";

export class Wire {
  #events = new EventEmitter();
  #messages = [];

  constructor(page) {
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => this.#keep("->", payload));
      socket.on("framereceived", ({ payload }) => this.#keep("<-", payload));
      socket.on("socketerror", (error) => this.#keep("!!", String(error)));
      socket.on("close", () => this.#keep("--", "closed"));
    });
  }

  // The status of the final response to the last request of `method` that the page sent.
  async finalStatus(method) {
    const sent = () => this.#messages.findLast((one) => one.direction === "->" && one.method === method);
    const answer = (request) => this.#messages.find((one) => one.answers(request) && one.status >= 200);
    for (;;) {
      const request = sent();
      const found = request && answer(request);
      if (found) return found.status;
      await once(this.#events, "message");
    }
  }

  // The directions of the audio in the last request of `method` that the page sent, and in its answer: sendrecv,
  // sendonly and so on.
  directions(method) {
    const request = this.#messages.findLast((one) => one.direction === "->" && one.method === method);
    const answer = this.#messages.find((one) => one.answers(request) && one.status === 200);
    return [request.audio, answer.audio];
  }

  // How many messages there were so far: where to look on from.
  get now() {
    return this.#messages.length;
  }

  // Waits for a request of one of `methods` that the page receives, the `from`-th message or later; gives its method.
  async received(methods, from = 0) {
    const comes = (one) => one.direction === "<-" && methods.includes(one.method);
    for (;;) {
      const found = this.#messages.slice(from).find(comes);
      if (found) return found.method;
      await once(this.#events, "message");
    }
  }

  // A line for each message: direction, first line, CSeq.
  describe() {
    return this.#messages.map((one) => `${one.direction} ${one.start}${one.cseq ? ` (${one.cseq})` : ""}`);
  }

  #keep(direction, payload) {
    const text = payload.toString();
    if (text.trim() === "") return; // a keep-alive
    this.#messages.push(new Message(direction, text));
    this.#events.emit("message");
  }
}

class Message {
  constructor(direction, text) {
    this.direction = direction;
    this.start = text.split(/\r?\n/, 1)[0];
    this.cseq = header(text, "CSeq");
    this.callId = header(text, "Call-ID");
    this.audio = /^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(text)?.[1];
    const [, status] = /^SIP\/2\.0 (\d{3})/.exec(this.start) ?? [];
    this.status = status && Number(status);
    this.method = status ? undefined : this.start.split(" ", 1)[0];
  }

  answers(request) {
    return this.direction === "<-" && this.status && this.cseq === request.cseq && this.callId === request.callId;
  }
}

function header(text, name) {
  return new RegExp(`^${name}\\s*:\\s*(.*?)\\s*$`, "im").exec(text)?.[1];
}
