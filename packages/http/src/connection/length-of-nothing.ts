/** How a request without a body says so: with methods that have one as a rule (RFC 9110 §8.6). */
export function lengthOfNothing(method: string): string {
  return method === "POST" || method === "PUT" || method === "PATCH" ? "content-length: 0\r\n" : "";
}
