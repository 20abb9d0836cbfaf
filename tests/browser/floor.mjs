// A contact centre with its agents, who are pages, and those who call it.

import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { killBrowser, launchBrowser } from "./browser.mjs";
import { Centre } from "./centre.mjs";
import { LoadCaller } from "./load_caller.mjs";
import { Phone, step } from "./phone.mjs";

export const tone = 620; // hertz, what callers play
export const music = 440; // hertz, what they hear while they wait
export const wrapUp = 2; // seconds
const password = "looking-glass";
const domain = "jackfield.test";

// A centre with its agents' pages, and who calls it.
export class Floor {
  #made;
  #centre;
  #phones = new Map();
  #browsers = []; // that are to be killed
  #profiles = new Map(); // of those, by their phones
  #callers = [];

  constructor(made) {
    this.#made = made;
  }

  // What `play` tells, given this floor.
  async run(play) {
    const { programFile, folder, mediaIp, agents, pages } = this.#made;
    await mkdir(folder);
    const settings = { folder, mediaIp, agents, password, origin: pages.origin, wrapUp, music };
    this.#centre = await Centre.start(programFile, settings);
    const told = await play(this);
    for (const phone of this.#phones.values()) phone.check();
    await step("the end", async () => {
      const { code, signal } = await this.#centre.stop();
      if (code !== 0) throw new Error(`the centre ended with ${signal ?? code}, expected 0`);
    });
    return told;
  }

  get centre() {
    return this.#centre;
  }

  // A page of `library` that has registered as agent `name`, in a browser of its own if it is to be `killed`.
  async phone(library, transport, { name = library, killed = false } = {}) {
    const server = `${transport}://${this.#centre.server(transport)}`;
    const query = new URLSearchParams({ server, uri: `sip:${name}@${domain}`, user: name, password });
    const { context, pages, chromium, folder } = this.#made;
    const label = `${name}-${library}-${this.#phones.size}`;
    const profile = path.join(folder, label);
    const browser = killed ? await launchBrowser(chromium, profile) : context;
    if (killed) this.#browsers.push(browser);
    const phone = await Phone.open(browser, `${pages.origin}/${library}?${query}`);
    this.#phones.set(label, phone);
    if (killed) this.#profiles.set(phone, profile);
    await phone.register();
    return phone;
  }

  // Closes the page, or kills its browser if it is to be killed.
  lose(phone) {
    const profile = this.#profiles.get(phone);
    return profile ? killBrowser(profile) : phone.close();
  }

  // Somebody who calls the queue.
  call() {
    const { programFile: program, mediaIp, folder } = this.#made;
    const proxy = this.#centre.server("udp");
    const caller = new QueueCaller({ program, mediaIp, proxy, folder, number: this.#callers.length });
    this.#callers.push(caller);
    caller.start();
    return caller;
  }

  // Waits until the agent is in that state.
  becomes(agent, state, more) {
    return this.#centre.event({ event: "agent.state", agent, state }, more);
  }

  describe() {
    const wires = [...this.#phones].flatMap(([name, phone]) =>
      [...phone.wire.describe(), ...phone.complaints].map((line) => `${name}: ${line}`),
    );
    return [...wires, ...(this.#centre?.describe() ?? []), ...(this.#centre?.lines ?? [])];
  }

  async close() {
    for (const caller of this.#callers) caller.kill();
    await Promise.all([...this.#phones.values(), ...this.#browsers].map((one) => one.close()));
    this.#centre?.kill();
  }
}

// Who calls the queue and plays a tone, until an agent or `hangUp` ends the call.
class QueueCaller extends LoadCaller {
  #file;

  // Its URI, as events have it.
  address;

  constructor({ number, folder, ...where }) {
    const file = path.join(folder, `caller${number}.jsonl`);
    const address = `sip:caller${number}@${domain}`;
    super({
      ...where,
      target: `sip:100@${domain}`,
      media: "rtp",
      audio: "tone",
      tone,
      duration: 120,
      hangsUp: true,
      options: ["--hear", "--from", address, "--calls-file", file],
    });
    this.#file = file;
    this.address = address;
  }

  // Waits for its end, for so many seconds at most, and gives the record of its call.
  async record(seconds = 15) {
    await this.ended(seconds);
    return JSON.parse(await readFile(this.#file, "utf8"));
  }
}
