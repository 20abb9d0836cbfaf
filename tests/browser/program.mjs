// `jackfield answer` as a child process.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { within } from "./wait.mjs";

const transports = ["udp", "ws", "wss"];

export class Program {
  #child;
  #closed;
  #lines = [];
  #output = "";
  #servers = new Map();
  #heard;

  // Starts `program answer --connect` with listeners of UDP, WS and WSS on ports of 127.0.0.1 that the kernel
  // chooses. All `users` have one password. Its files go to `folder`; `options` are more of its options.
  static async start(program, { folder, mediaIp, users: names, password, options = [] }) {
    const users = path.join(folder, "users.csv");
    await writeFile(users, ["user,password", ...names.map((name) => `${name},${password}`), ""].join("\n"));
    const { cert, key } = await makeCertificate(folder);
    const self = new Program();
    await self.#spawn(program, [
      "answer",
      ...transports.flatMap((transport) => ["--listen", `${transport}:127.0.0.1:0`]),
      ...["--cert", cert, "--key", key, "--connect", "--media-ip", mediaIp, "--users", users, "--json", "-"],
      ...options,
    ]);
    return self;
  }

  // Where a transport, "udp", "ws" or "wss", is served: ADDRESS:PORT.
  server(transport) {
    return this.#servers.get(transport);
  }

  // What it said on standard error.
  get lines() {
    return this.#lines;
  }

  // Ends it as a user does, by SIGINT: { code, signal, summary }.
  async stop() {
    this.#child.kill("SIGINT");
    const [code, signal] = await within(10, "the program to end after SIGINT", this.#closed);
    return { code, signal, summary: JSON.parse(this.#output || "null") };
  }

  kill() {
    this.#child?.kill("SIGKILL");
  }

  async #spawn(program, options) {
    this.#child = spawn(program, options, { stdio: ["ignore", "pipe", "pipe"] });
    this.#closed = once(this.#child, "close");
    this.#child.stdout.setEncoding("utf8").on("data", (text) => (this.#output += text));
    const listening = new Promise((resolve) => (this.#heard = resolve));
    createInterface({ input: this.#child.stderr }).on("line", (line) => this.#hear(line));
    const ended = this.#closed.then(([code]) => {
      throw new Error(`the program ended with ${code}: ${this.#lines.join("; ")}`);
    });
    ended.catch(() => {}); // its end is an error only while it is awaited here
    try {
      await within(10, "the program to listen", Promise.race([listening, ended]));
    } catch (error) {
      this.kill();
      throw error;
    }
  }

  #hear(line) {
    this.#lines.push(line);
    const [, transport, address] = /^listening on (\S+) (\S+)$/.exec(line) ?? [];
    if (!transport) return;
    this.#servers.set(transport.toLowerCase(), address);
    if (this.#servers.size === transports.length) this.#heard();
  }
}

async function makeCertificate(folder) {
  const cert = path.join(folder, "cert.pem");
  const key = path.join(folder, "key.pem");
  await promisify(execFile)("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
    ...["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"],
    ...["-keyout", key, "-out", cert],
  ]);
  return { cert, key };
}
