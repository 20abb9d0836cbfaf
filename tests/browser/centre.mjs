// `jackfield serve` as a child process, and what it says happens.

import { EventEmitter, once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { ListeningProgram } from "./program.mjs";
import { within } from "./wait.mjs";

const transports = ["udp", "ws", "wss"];

export class Centre extends ListeningProgram {
  #events = [];
  #told = new EventEmitter();
  #rest = "";

  // Starts it with one queue, "support" at "100", whose music is a tone of `music` hertz, and agents of these
  // names with one password, who wrap up for so many seconds. Its configuration goes to `folder`.
  static async start(program, { folder, mediaIp, agents, password, origin, wrapUp, music }) {
    const config = path.join(folder, "centre.toml");
    const lines = [
      "[server]",
      `listen = [${transports.map((transport) => `"${transport}:127.0.0.1:0"`).join(", ")}]`,
      `media_ip = "${mediaIp}"`,
      `allow_origins = ["${origin}"]`,
      "lanes = 2",
      ...agents.flatMap((name) => [
        "[[agent]]",
        `name = "${name}"`,
        `password = "${password}"`,
        `wrap_up = "${wrapUp}s"`,
        'after_unreachable = "1s"',
      ]),
      "[[queue]]",
      'name = "support"',
      'numbers = ["100"]',
      'members = "all"',
      `music = "tone:${music}"`,
    ];
    await writeFile(config, lines.join("\n") + "\n");
    const self = new Centre();
    const command = ["serve", "-c", config, "--events", "-"];
    await self.spawn(program, command, { transports, hear: (text) => self.#hear(text) });
    return self;
  }

  // How many events there were so far: where to look on from.
  get now() {
    return this.#events.length;
  }

  // The first event from the `from`-th on that has these fields.
  async event(fields, { from = 0, seconds = 10 } = {}) {
    const look = async () => {
      for (;;) {
        const found = this.all(fields, from)[0];
        if (found) return found;
        await once(this.#told, "event");
      }
    };
    return within(seconds, `the event ${JSON.stringify(fields)}`, look());
  }

  // All events so far that have these fields.
  all(fields, from = 0) {
    const wanted = Object.entries(fields);
    return this.#events.slice(from).filter((one) => wanted.every(([name, value]) => one[name] === value));
  }

  // A line for each event.
  describe() {
    return this.#events.map((one) => JSON.stringify(one));
  }

  #hear(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop();
    this.#events.push(...lines.map((line) => JSON.parse(line)));
    if (lines.length > 0) this.#told.emit("event");
  }
}
