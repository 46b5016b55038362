/** An absolute path without `.` and `..`; relative ones are below `/`. Abstract names of Unix sockets stay as they are. */
export function resolvePath(path: string): string {
  if (path.startsWith("\0")) return path;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
