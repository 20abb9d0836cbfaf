// Headless Chromium with a microphone that beeps.

import { chromium } from "playwright-core";
import { processTree } from "./processes.mjs";

const flags = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
  "--ignore-certificate-errors",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  "--autoplay-policy=no-user-gesture-required",
];

// A browser with a profile of its own in `profile`.
export function launchBrowser(executablePath, profile) {
  return chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    chromiumSandbox: false,
    args: flags,
    timeout: 60_000,
  });
}

// Ends the browser of that profile as a crash of its machine does: nothing says goodbye. All its processes are
// stopped first: none is to see another one end.
export async function killBrowser(profile) {
  const tree = await processTree(profile);
  if (tree.length === 0) throw new Error(`there is no browser of ${profile}, expected one to kill`);
  for (const signal of ["SIGSTOP", "SIGKILL"]) {
    for (const { pid } of tree) signalIfThere(pid, signal);
  }
}

function signalIfThere(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
