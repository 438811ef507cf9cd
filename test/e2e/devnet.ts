import type { Report } from './report.ts';
export async function showDevnet(_report: Report): Promise<void> {}
