// What a call between two SIP.js pages costs Chromium, in CPU and memory. See --help.

import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { launchBrowser } from "./browser.mjs";
import { servePages } from "./pages.mjs";
import { cpuMs, memoryKb, processTree } from "./processes.mjs";
import { within } from "./wait.mjs";

const help = `Usage: node measure.mjs [OPTION...]

Two pages call each other: INVITE, 200, ACK, BYE by SIP.js over a BroadcastChannel, Opus in packets of
20 ms both ways over ICE and DTLS-SRTP. Their microphones beep, each call is listened to at both ends.
All of Chromium's processes are measured: with the pages ready to call, and with all calls up.

  --calls N          calls at a time (12: a core's worth; the fewer there are, the more each costs)
  --seconds S        each measuring takes (12)
  --chromium FILE    Chromium (/usr/bin/chromium)
  --json             the figures as JSON
`;

const domain = "jackfield.test";
const packetsASecond = 50; // in each direction, of 20 ms
const mostOff = 0.04; // share of that, before a call does not count as running as it should
const mostLost = 0.001; // share of the packets, likewise
const settling = 4; // seconds, before each measuring
const patience = 15; // seconds: the page's own bound of each step comes first

function readOptions() {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", short: "h" },
      calls: { type: "string", default: "12" },
      seconds: { type: "string", default: "12" },
      chromium: { type: "string", default: "/usr/bin/chromium" },
      json: { type: "boolean" },
    },
  });
  for (const name of ["calls", "seconds"]) {
    if (!/^[1-9]\d{0,3}$/.test(values[name])) {
      throw new Error(`--${name} is "${values[name]}", expected a number from 1 to 9999`);
    }
  }
  return { ...values, calls: Number(values.calls), seconds: Number(values.seconds) };
}

class End {
  #page;
  #complaints = [];

  static async open(context, origin, user) {
    const self = new End();
    self.#page = await context.newPage();
    self.#page.on("pageerror", ({ message }) => self.#complaints.push(message));
    const query = new URLSearchParams({ uri: `sip:${user}@${domain}` });
    await self.#page.goto(`${origin}/end?${query}`, { timeout: patience * 1000 });
    await self.ask("start");
    return self;
  }

  async ask(method, ...given) {
    const asked = this.#page.evaluate(([name, values]) => window.end[name](...values), [method, given]);
    const value = await within(patience, `the page's ${method}`, asked);
    if (this.#complaints.length > 0) throw new Error(`the page threw: ${this.#complaints.join("; ")}`);
    return value;
  }
}

// What the browser with this profile uses over some seconds: CPU in ms a second, memory in KB at the end.
async function use(profile, seconds) {
  const before = await processTree(profile);
  const started = performance.now();
  await sleep(seconds);
  const after = await processTree(profile);
  const elapsed = (performance.now() - started) / 1000;
  return { cpu: (cpuMs(after) - cpuMs(before)) / elapsed, memory: await memoryKb(after) };
}

function sleep(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

// Packets a second in each direction of each call, of samples before and after; throws if one of them
// is no call as it should be.
function packetRates(before, after) {
  return after.map((now, i) => {
    const was = before[i];
    const rate = ((now.packetsReceived - was.packetsReceived) * 1000) / (now.at - was.at);
    const lost = now.packetsLost - was.packetsLost;
    const good =
      now.codec === "audio/opus" &&
      now.dtlsState === "connected" &&
      now.energyReceived > was.energyReceived &&
      Math.abs(rate - packetsASecond) <= mostOff * packetsASecond &&
      lost <= mostLost * (now.packetsReceived - was.packetsReceived);
    if (!good) {
      const last = JSON.stringify(now);
      throw new Error(`of a call, ${rate.toFixed(2)} packets a second arrived and ${lost} were lost: ${last}`);
    }
    return rate;
  });
}

async function measure(context, origin, profile, { calls, seconds }) {
  const caller = await End.open(context, origin, "alice");
  const answerer = await End.open(context, origin, "bob");
  const samples = async () => [...(await caller.ask("samples")), ...(await answerer.ask("samples"))];

  await sleep(settling);
  const idle = await use(profile, seconds);

  for (let i = 0; i < calls; ++i) await caller.ask("call", `sip:bob@${domain}`);
  await sleep(settling);
  const before = await samples();
  if (before.length !== 2 * calls) throw new Error(`${before.length} ends of calls, expected ${2 * calls}`);
  const busy = await use(profile, seconds);
  const rates = packetRates(before, await samples());
  await caller.ask("hangUp");

  return {
    calls,
    seconds,
    cpu_ms_a_call_second: round((busy.cpu - idle.cpu) / calls, 2),
    memory_kb_a_call: round((busy.memory - idle.memory) / calls, 0),
    packets_a_second: round(rates.reduce((sum, rate) => sum + rate) / rates.length, 2),
    packets_a_second_least: round(Math.min(...rates), 2),
    packets_a_second_most: round(Math.max(...rates), 2),
    cpu_ms_a_second: round(busy.cpu, 1),
    cpu_ms_a_second_idle: round(idle.cpu, 1),
    memory_kb: busy.memory,
    memory_kb_idle: idle.memory,
  };
}

function round(value, digits) {
  return Number(value.toFixed(digits));
}

function describe(found) {
  return [
    `${found.calls} calls over ${found.seconds} s: ${found.cpu_ms_a_call_second} ms of CPU a second a call`,
    `(${found.cpu_ms_a_second} in all, ${found.cpu_ms_a_second_idle} without calls),`,
    `${found.memory_kb_a_call} KB a call (${found.memory_kb} in all, ${found.memory_kb_idle} without calls),`,
    `${found.packets_a_second_least} to ${found.packets_a_second_most} packets a second in each direction`,
  ].join(" ");
}

async function main() {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(help);
    return;
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), "jackfield-browser-"));
  const profile = path.join(folder, "profile");
  let pages, context;
  try {
    pages = await servePages(["end"]);
    context = await launchBrowser(options.chromium, profile);
    const found = await measure(context, pages.origin, profile, options);
    console.log(options.json ? JSON.stringify(found, null, 2) : describe(found));
  } finally {
    await context?.close();
    pages?.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

try {
  await main();
} catch (error) {
  console.error(`measure.mjs: ${error.message.split("\n")[0]}`);
  process.exitCode = 1;
}
