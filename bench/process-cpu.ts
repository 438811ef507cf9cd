import { readdirSync, readFileSync } from 'node:fs';

/** CPU time that a process has used since its start, in seconds, and its memory. */
export interface ProcessReading {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** By thread name; threads of one name together. */
  readonly threads: ReadonlyMap<string, number>;
  /** Largest resident set so far, bytes. */
  readonly residentBytesMax: number;
}

/** Ticks a second in /proc: USER_HZ, 100 on every Linux (proc_pid_stat(5)). */
const TICKS_PER_SECOND = 100;

/** Reads a process's CPU time and memory from /proc; undefined where there is none (not Linux, or it ended). */
export function readProcess(pid: number): ProcessReading | undefined {
  try {
    const own = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    const threads = new Map<string, number>();
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const stat = parseStat(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'));
      threads.set(stat.name, (threads.get(stat.name) ?? 0) + stat.userSeconds + stat.systemSeconds);
    }
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return { ...own, threads, residentBytesMax: Number(peak ?? 0) * 1024 };
  } catch {
    return undefined;
  }
}

/** Name, user and system time of a `stat` line; the name may hold blanks and parentheses. */
export function parseStat(line: string): {
  readonly name: string;
  readonly userSeconds: number;
  readonly systemSeconds: number;
} {
  const end = line.lastIndexOf(')');
  const fields = line.slice(end + 2).split(' ');
  // Fields 14 and 15 of proc_pid_stat(5); `fields` begins with field 3.
  const seconds = (field: number) => Number(fields[field - 3]) / TICKS_PER_SECOND;
  return { name: line.slice(line.indexOf('(') + 1, end), userSeconds: seconds(14), systemSeconds: seconds(15) };
}

/** CPU time used between two readings of one process, as shares of one core. */
export interface CpuShare {
  readonly user: number;
  readonly system: number;
  readonly threads: Readonly<Record<string, number>>;
}

/** What was used between two readings `seconds` apart. */
export function cpuShare(before: ProcessReading, after: ProcessReading, seconds: number): CpuShare {
  const threads: Record<string, number> = {};
  for (const [name, used] of after.threads) threads[name] = (used - (before.threads.get(name) ?? 0)) / seconds;
  return {
    user: (after.userSeconds - before.userSeconds) / seconds,
    system: (after.systemSeconds - before.systemSeconds) / seconds,
    threads,
  };
}
