// What the processes of a browser use, by /proc.

import { readdir, readFile } from "node:fs/promises";

const tick = 10; // ms: Linux tells of times in hundredths of a second (USER_HZ)

// The processes that have `argument` within their command line, and all that these started.
export async function processTree(argument) {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const all = (await Promise.all(pids.map(describe))).filter((one) => one !== undefined);
  const tree = all.filter(({ command }) => command.includes(argument));
  for (const parent of tree) {
    tree.push(...all.filter((one) => one.parent === parent.pid && !tree.includes(one)));
  }
  return tree;
}

// CPU used so far, user and system, in ms: of the processes, and of those they started that have ended.
export function cpuMs(tree) {
  return tree.reduce((sum, { ticks }) => sum + ticks * tick, 0);
}

// Memory in KB; what processes share counts once.
export async function memoryKb(tree) {
  const sizes = await Promise.all(
    tree.map(async ({ pid }) => {
      const text = await readOf(pid, "smaps_rollup");
      return Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0);
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function describe(pid) {
  const stat = await readOf(pid, "stat");
  const command = await readOf(pid, "cmdline");
  if (!stat || command === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ").map(Number);
  const [user, system, childUser, childSystem] = fields.slice(11, 15);
  return { pid: Number(pid), parent: fields[1], command, ticks: user + system + childUser + childSystem };
}

// undefined of a process that has ended.
async function readOf(pid, name) {
  try {
    return await readFile(`/proc/${pid}/${name}`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes(error.code)) return undefined;
    throw error;
  }
}
