// `jackfield load` as a child process that places one call.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { within } from "./wait.mjs";

export class LoadCaller {
  #command;
  #child;
  #closed;
  #output = "";
  #complaint = "";

  // Its end before the call was judged is an error.
  failed;

  // Calls `target` through the proxy at `proxy` (ADDRESS:PORT over UDP) for `duration` seconds, with `media`,
  // rtp or webrtc, and `audio`, tone or echo, at `mediaIp`. Its call fails if the callee hangs up, with
  // `hangsUp` if the callee does not.
  // `options` are more of its options.
  constructor({ program, target, proxy, mediaIp, media, audio, tone, duration, hangsUp, options = [] }) {
    this.#command = [
      program,
      ["load", target, "--route", `sip:${proxy};lr`, "-m", "1", "-r", "1", "--lanes", "1"],
      ["--media", media, "--media-ip", mediaIp, "--audio", audio === "tone" ? `tone:${tone}` : audio],
      ["--duration", String(duration), "--callee-hangs-up", hangsUp ? "expected" : "fails"],
      ["--json", "-", "--quiet"],
      media === "rtp" ? ["--codecs", "PCMU"] : [],
      options,
    ].flat();
  }

  start() {
    const [program, ...options] = this.#command;
    this.#child = spawn(program, options, { stdio: ["ignore", "pipe", "pipe"] });
    this.#closed = once(this.#child, "close");
    this.#child.stdout.setEncoding("utf8").on("data", (text) => (this.#output += text));
    this.#child.stderr.setEncoding("utf8").on("data", (text) => (this.#complaint += text));
    this.failed = this.#closed.then(([code]) => {
      const failures = JSON.stringify(this.#summary()?.failures);
      throw new Error(`the caller ended with ${code}: ${failures} ${this.#complaint}`);
    });
    this.failed.catch(() => {}); // an error only while it is awaited
  }

  // Has it hang up, before its duration is over.
  hangUp() {
    this.#child.kill("SIGINT"); // no new calls
    this.#child.kill("SIGTERM"); // nor those that are up; a second SIGINT might become one with the first
  }

  // Waits for its end, for so many seconds at most.
  ended(seconds) {
    return within(seconds, "the caller to end", this.#closed);
  }

  // Waits for its end and gives what it heard: { packets, lost, mos }.
  async judge() {
    await this.ended(15);
    const summary = this.#summary();
    if (!summary) throw new Error(`there is none: ${this.#complaint}`);
    const { calls, media, failures } = summary;
    if (calls.completed !== 1) throw new Error(`${JSON.stringify(calls)} ${JSON.stringify(failures)}`);
    const { packets_received: packets, packets_lost: lost, mos_mean: mos } = media.received;
    // A browser on a busy machine sends late, which costs MOS: it is told, not judged.
    if (!(packets > 50 && lost < packets / 100 && mos >= 1)) {
      throw new Error(`it heard ${packets} packets, ${lost} lost, MOS ${mos}`);
    }
    return { packets, lost, mos };
  }

  kill() {
    this.#child?.kill("SIGKILL");
  }

  #summary() {
    return JSON.parse(this.#output || "null");
  }
}
