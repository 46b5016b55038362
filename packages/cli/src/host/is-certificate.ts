import { X509Certificate } from "node:crypto";

/** Whether a text begins with a certificate, in PEM. */
export function isCertificate(pem: string): boolean {
  if (!pem.includes("-----BEGIN CERTIFICATE-----")) return false;
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
