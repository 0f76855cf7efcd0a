// Processes that may outlive the one that started them, known by process id and time of start.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { EngineError } from './engine-error.mjs';
import { findProgram } from './programs.mjs';

const POLL_MS = 30;
/** A killed process is gone within milliseconds, unless the disk holds it. */
const KILLED_GONE_MS_MAX = 10_000;

/**
 * Starts a program in the background, with both outputs appended to a file.
 * @param isOwned whether it must die with this process, however that ends (Linux)
 * @returns its pid and time of start
 */
export async function launch({ command, args, env, cwd, logFile, account = {}, keepsMemory = true, isOwned }) {
  const prefix = launchPrefix(isOwned, keepsMemory);
  const [program, ...rest] = [...prefix, command, ...args];
  const log = openSync(logFile, 'a', 0o644);
  try {
    const child = spawn(program, rest, { cwd, env, ...account, detached: true, stdio: ['ignore', log, log] });
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new EngineError(`${command} could not be started: ${error.message}.`)));
    });
    child.unref();
    return { pid: child.pid, startTime: startTimeOf(child.pid) };
  } finally {
    closeSync(log);
  }
}

function launchPrefix(isOwned, keepsMemory) {
  const setpriv = findProgram('setpriv');
  if (!setpriv) return [];
  const options = [];
  if (isOwned) options.push('--pdeathsig', 'KILL');
  // With the right to lock memory, which root has, Cassandra keeps all of its heap in it.
  if (!keepsMemory && process.getuid() === 0) options.push('--bounding-set=-ipc_lock', '--inh-caps=-ipc_lock');
  return options.length > 0 ? [setpriv, ...options, '--'] : [];
}

/** Whether this very process runs, and not another one that was given its number later. */
export function isRunning({ pid, startTime }) {
  const stat = processStat(pid);
  if (stat) return stat.state !== 'Z' && (startTime === undefined || stat.startTime === startTime);
  if (startTime !== undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Sends a signal to a process and to all that it started; nothing happens when it has ended. */
export function signal(target, name) {
  if (!isRunning(target)) return;
  for (const pid of [target.pid, ...descendantsOf(target.pid)]) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

/**
 * Ends a process: a request first, and SIGKILL to all of its processes after `timeoutMs`.
 * @returns true when it ended by itself
 * @throws EngineError when even SIGKILL does not end it
 */
export async function stop(target, { request = 'SIGTERM', timeoutMs }) {
  if (!isRunning(target)) return true;
  signal(target, 'SIGCONT');
  try {
    process.kill(target.pid, request);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
  if (await within(timeoutMs, () => !isRunning(target))) return true;
  await kill(target);
  return false;
}

/** SIGKILL to a process and all that it started; returns when all are gone. */
export async function kill(target) {
  const tree = [target, ...descendantsOf(target.pid).map((pid) => ({ pid, startTime: startTimeOf(pid) }))];
  signal(target, 'SIGKILL');
  const areGone = await within(KILLED_GONE_MS_MAX, () => tree.every((one) => !isRunning(one)));
  if (!areGone) throw new EngineError(`Process ${target.pid} does not end, not even by SIGKILL.`);
}

/** @returns true as soon as `condition` holds, false when it did not within `timeoutMs` */
export async function within(timeoutMs, condition) {
  const until = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() > until) return false;
    await wait(POLL_MS);
  }
}

/** This process, in the form in which processes are remembered. */
export function thisProcess() {
  return { pid: process.pid, startTime: startTimeOf(process.pid) };
}

function startTimeOf(pid) {
  return processStat(pid)?.startTime;
}

/** The fields of /proc/PID/stat that follow the name, which may itself hold blanks and brackets. */
function processStat(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0], parent: Number(fields[1]), startTime: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

function descendantsOf(pid) {
  const children = new Map();
  let names = [];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  for (const name of names) {
    const stat = /^\d+$/.test(name) ? processStat(Number(name)) : undefined;
    if (stat) children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(name)]);
  }
  const found = [...(children.get(pid) ?? [])];
  for (const one of found) found.push(...(children.get(one) ?? []));
  return found;
}
