// A command of jackfield that listens, as a child process, and `jackfield answer` as one.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { within } from "./wait.mjs";

export class ListeningProgram {
  #child;
  #closed;
  #lines = [];
  #servers = new Map();
  #heard;

  // Starts it and waits until it listens, by all of `transports` ("udp", "ws", "wss"), on ports of 127.0.0.1
  // that the kernel chooses. `hear` is given what it says on standard output, as it comes.
  async spawn(program, options, { transports, hear }) {
    this.#child = spawn(program, options, { stdio: ["ignore", "pipe", "pipe"] });
    this.#closed = once(this.#child, "close");
    this.#child.stdout.setEncoding("utf8").on("data", hear);
    const listening = new Promise((resolve) => (this.#heard = resolve));
    createInterface({ input: this.#child.stderr }).on("line", (line) => this.#hear(line, transports));
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

  // Where a transport, "udp", "ws" or "wss", is served: ADDRESS:PORT.
  server(transport) {
    return this.#servers.get(transport);
  }

  // What it said on standard error.
  get lines() {
    return this.#lines;
  }

  // Ends it as a user does, by SIGINT: { code, signal }.
  async stop() {
    this.#child.kill("SIGINT");
    const [code, signal] = await within(10, "the program to end after SIGINT", this.#closed);
    return { code, signal };
  }

  kill() {
    this.#child?.kill("SIGKILL");
  }

  #hear(line, transports) {
    this.#lines.push(line);
    const [, transport, address] = /^listening on (\S+) (\S+)$/.exec(line) ?? [];
    if (!transport) return;
    this.#servers.set(transport.toLowerCase(), address);
    if (this.#servers.size === transports.length) this.#heard();
  }
}

const transports = ["udp", "ws", "wss"];

export class Program extends ListeningProgram {
  #output = "";

  // Starts `program answer --connect` with listeners of UDP, WS and WSS. All `users` have one password. Its
  // files go to `folder`; `options` are more of its options.
  static async start(program, { folder, mediaIp, users: names, password, options = [] }) {
    const users = path.join(folder, "users.csv");
    await writeFile(users, ["user,password", ...names.map((name) => `${name},${password}`), ""].join("\n"));
    const { cert, key } = await makeCertificate(folder);
    const self = new Program();
    const command = [
      "answer",
      ...transports.flatMap((transport) => ["--listen", `${transport}:127.0.0.1:0`]),
      ...["--cert", cert, "--key", key, "--connect", "--media-ip", mediaIp, "--users", users, "--json", "-"],
      ...options,
    ];
    await self.spawn(program, command, { transports, hear: (text) => (self.#output += text) });
    return self;
  }

  // { code, signal, summary }
  async stop() {
    const ended = await super.stop();
    return { ...ended, summary: JSON.parse(this.#output || "null") };
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
