// Calls from and to Chromium, by SIP.js and JsSIP over WS and WSS. Those from it are answered by
// `jackfield answer`, which echoes: what the microphone says has to come back. Those to it are placed by
// `jackfield load` and connected by the same `answer`: the page has to hear the caller's tone, or itself by
// the caller's echo, and the caller the page. After them, pages as agents of `jackfield serve` (agents.mjs).
// See --help.

import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { serveAgents } from "./agents.mjs";
import { launchBrowser } from "./browser.mjs";
import { makeCall, takeCall } from "./call.mjs";
import { servePages } from "./pages.mjs";
import { Program } from "./program.mjs";

const help = `Usage: node run.mjs [OPTION...]

  --program FILE     jackfield (../../build/jackfield)
  --calls N          calls of each library over each transport, from it and to it (2); every second one with
                     the browser's addresses hidden from the program; 0: only agents of a contact centre
  --chromium FILE    Chromium (/usr/bin/chromium)
  --media-ip IP      address of the program's audio (the first of the host that is not loopback)
  --trace FILE       SIP messages of all calls, as the program saw them
`;

const libraries = ["sipjs", "jssip"];
const transports = ["ws", "wss"];
const ways = ["calls", "is called"];
const tone = 620; // hertz, what callers play
const password = "wonderland";
const domain = "jackfield.test";

function readOptions() {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean", short: "h" },
      program: { type: "string", default: fileURLToPath(new URL("../../build/jackfield", import.meta.url)) },
      calls: { type: "string", default: "2" },
      chromium: { type: "string", default: "/usr/bin/chromium" },
      "media-ip": { type: "string", default: hostAddress() },
      trace: { type: "string" },
    },
  });
  if (!/^\d{1,6}$/.test(values.calls)) throw new Error(`--calls is "${values.calls}", expected a number from 0`);
  return { ...values, calls: Number(values.calls) };
}

// Chromium does not check candidates of the loopback interface.
function hostAddress() {
  const all = Object.values(os.networkInterfaces()).flat();
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}

// The calls of the matrix, those of each library one after the other; gives how many passed.
async function callAll(context, pages, program, { programFile, mediaIp, calls }) {
  const place = async (library, { way, transport, addresses, caller, hangsUp }) => {
    const address = `sip:${library}@${domain}`;
    const server = `${transport}://${program.server(transport)}`;
    const query = new URLSearchParams({ server, uri: address, user: library, password, addresses });
    const page = `${pages.origin}/${library}?${query}`;
    if (way === "calls") return describe(await makeCall(context, { page, target: `sip:echo@${domain}` }));
    const proxy = program.server("udp");
    const load = { program: programFile, target: address, proxy, mediaIp, tone, ...caller };
    const taken = await takeCall(context, { page, caller: load, hangsUp });
    return `${describe(taken)}; ${describeCaller(taken, load)}`;
  };
  const ofLibrary = async (library) => {
    let passed = 0;
    for (const call of matrixOf(calls)) {
      const name = `${library} ${call.way} over ${call.transport}, addresses ${call.addresses}, ${call.number}`;
      try {
        console.log(`${name}: passed, ${await place(library, call)}`);
        ++passed;
      } catch (error) {
        console.log(`${name}: FAILED, ${error.message}`);
        for (const line of [...(error.wire ?? []), ...(error.complaints ?? [])]) console.log(`    ${line}`);
      }
    }
    return passed;
  };
  const passed = await Promise.all(libraries.map(ofLibrary));
  return passed.reduce((sum, some) => sum + some);
}

// Four calls to the browser have every kind of caller. One that plays a tone hangs up by itself; to hear
// oneself in an echo takes as long as it takes, and the page hangs up.
function matrixOf(calls) {
  const numbers = Array.from({ length: calls }, (_, i) => i + 1);
  return transports.flatMap((transport) =>
    ways.flatMap((way) =>
      numbers.map((number) => {
        const odd = number % 2 === 1;
        const echoes = [3, 0].includes(number % 4);
        const caller = { media: odd ? "rtp" : "webrtc", audio: echoes ? "echo" : "tone" };
        return { transport, way, number, addresses: odd ? "shown" : "hidden", caller, hangsUp: echoes };
      }),
    ),
  );
}

function describe(call) {
  const version = { FEFD: "DTLS 1.2", FEFC: "DTLS 1.3" }[call.tlsVersion] ?? call.tlsVersion;
  return [
    `up after ${call.setup.toFixed(0)} ms`,
    `${call.codec} over ${version} ${call.srtpCipher}`,
    `candidates ${call.localCandidate} to ${call.remoteCandidate}`,
    `${call.packetsSent} packets sent, ${call.packetsReceived} received, ${call.packetsLost} lost`,
    `energy ${call.energySent.toFixed(4)} sent, ${call.energyReceived.toFixed(4)} back`,
    ...(call.roundTripTime ? [`round trip ${(call.roundTripTime * 1000).toFixed(1)} ms`] : []),
  ].join("; ");
}

function describeCaller({ caller: heard, loudestHertz }, { media, audio }) {
  const said = audio === "tone" ? `a tone of ${loudestHertz.toFixed(0)} Hz` : "an echo";
  return `the caller (${media}) sent ${said}, heard ${heard.packets} packets, ${heard.lost} lost, MOS ${heard.mos}`;
}

// What is wrong with how the program ended after `calls` calls that passed, half of them to the browser,
// which are two streams to the program.
function faultsOf({ code, signal, summary }, calls) {
  const streams = calls + calls / 2;
  const faults = [];
  const expect = (what, value, wanted) => {
    if (value !== wanted) faults.push(`${what} is ${value}, expected ${wanted}`);
  };
  expect("the program's exit code", signal ?? code, 0);
  expect("calls answered", summary?.calls.answered, calls);
  expect("calls completed", summary?.calls.completed, calls);
  expect("calls failed", summary?.calls.failed, 0);
  expect("registrations", summary?.registrations.current, 0);
  expect("streams heard", summary?.media.received.streams, streams);
  expect("one-way calls", summary?.media.one_way_calls, 0);
  expect("silent calls", summary?.media.silent_calls, 0);
  expect("forged packets", summary?.media.forged, 0);
  expect("malformed messages", summary?.sip.malformed, 0);
  return faults;
}

async function main() {
  const options = readOptions();
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const folder = await mkdtemp(path.join(os.tmpdir(), "jackfield-browser-"));
  let pages, program, context;
  try {
    pages = await servePages(libraries);
    const more = ["--allow-origin", pages.origin];
    if (options.trace) more.push("--trace", options.trace, "--trace-all");
    const mediaIp = options["media-ip"];
    program = await Program.start(options.program, { folder, mediaIp, users: libraries, password, options: more });
    context = await launchBrowser(options.chromium, path.join(folder, "profile"));
    const total = libraries.length * transports.length * ways.length * options.calls;
    const { program: programFile, calls } = options;
    const passed = await callAll(context, pages, program, { programFile, mediaIp, calls });
    const agents = await serveAgents(context, pages, { programFile, mediaIp, folder, chromium: options.chromium });
    await context.close();
    const faults = faultsOf(await program.stop(), total);
    for (const fault of faults) console.log(`at the end: ${fault}`);
    if (faults.length > 0) console.log(`the program said: ${program.lines.join("; ")}`);
    const [good, all] = [passed + agents.passed, total + agents.total];
    console.log(`${good} of ${all} passed`);
    return good === all && faults.length === 0 ? 0 : 1;
  } finally {
    await context?.close();
    program?.kill();
    pages?.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`run.mjs: ${error.message}`);
  process.exitCode = 2;
}
