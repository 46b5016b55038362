import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TlsError, type TlsFailure } from "../../core/errors.ts";
import { tlsError, toTlsError } from "./node-tls-error.ts";

const SEEN: readonly (readonly [code: string, message: string, TlsFailure])[] = [
  // What engines say about the other side's certificate; Node, Bun and Deno have the same codes.
  ["CERT_HAS_EXPIRED", "certificate has expired", "expired"],
  ["CERT_NOT_YET_VALID", "certificate is not yet valid", "not-yet-valid"],
  ["CERT_REVOKED", "certificate revoked", "revoked"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate in certificate chain", "untrusted"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "Hostname/IP does not match", "wrong-name"],
  // OpenSSL's codes on Node 26, on Node 22, BoringSSL's, and rustls's messages under codes of OpenSSL's kind.
  ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "4073:error:0A00045C:…", "certificate-required"],
  ["ERR_SSL_TLSV1_ALERT_CERTIFICATE_REQUIRED", "error:1000045c:…", "certificate-required"],
  ["ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "error:0A0000C7", "certificate-required"],
  ["ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", "error:0A000412", "rejected"],
  ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "error:0A000415", "rejected"],
  ["ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "error:0A000413", "rejected"],
  ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "error:0A000418", "rejected"],
  ["ERR_SSL_TLSV1_ALERT_ACCESS_DENIED", "error:0A000419", "rejected"],
  ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "received fatal alert: UnknownCA", "rejected"],
  ["ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "error:0A000460", "no-common-protocol"],
  ["ERR_SSL_NO_APPLICATION_PROTOCOL", "error:0A0000EB", "no-common-protocol"],
  ["ERR_SSL_TLSV1_UNRECOGNIZED_NAME", "error:0A000458", "wrong-name"],
  ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "received fatal alert: UnrecognizedName", "wrong-name"],
  ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "error:0A00042E", "no-common-version"],
  ["ERR_SSL_UNSUPPORTED_PROTOCOL", "error:0A000102", "no-common-version"],
  [
    "ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE",
    "peer is incompatible: Tls12NotOfferedOrEnabled",
    "no-common-version",
  ],
  // Nothing in particular.
  ["ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE", "error:0A000410", "protocol"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "error:0A00010B", "protocol"],
  ["ERR_SSL_DECRYPTION_FAILED_OR_BAD_RECORD_MAC", "error:0A000119", "protocol"],
];

describe("toTlsError", () => {
  for (const [code, message, reason] of SEEN) {
    test(`${code}, ${message}: ${reason}`, () => {
      const cause = Object.assign(new Error(message), { code });
      const error = toTlsError("TLS with a.test", cause);
      assert.deepEqual([error.reason, error.cause], [reason, cause]);
      assert.ok(error.message.startsWith("TLS with a.test: "));
      assert.ok(error.message.includes(code));
    });
  }

  test("what is no error of an engine, and what is one of ours", () => {
    assert.equal(toTlsError("TLS", "odd").message, "TLS: TLS failed (odd)");
    assert.equal(toTlsError("TLS", undefined).reason, "protocol");
    const own = tlsError("TLS", "truncated");
    assert.equal(toTlsError("other", own), own);
    assert.ok(own instanceof TlsError);
    assert.equal("cause" in own, false);
  });
});
