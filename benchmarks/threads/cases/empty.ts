/** What the threads of all subjects are asked to do. */
export function empty(): void {}
