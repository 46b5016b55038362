/** Proxies that are not ours, while they run. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identity } from "../server/certificates.test.kit.ts";
import { freePort, listening } from "./nginx.test.kit.ts";
import type { Tool } from "./peer-test.test.kit.ts";
import { Program, runProgram } from "./program.test.kit.ts";

/** The one with TLS. */
export const SQUID: Tool = {
  name: "squid-openssl",
  probe: ["/bin/sh", "-c", "/usr/sbin/squid -v | grep -q with-openssl"],
};
export const DANTE: Tool = { name: "dante-server", probe: ["/bin/sh", "-c", "command -v danted"] };

/** Client and server. */
export const SSH: Tool = {
  name: "openssh-server and openssh-client",
  probe: ["/bin/sh", "-c", "command -v /usr/sbin/sshd && command -v ssh && command -v ssh-keygen"],
};

/** A port may be taken by somebody else between its choice and its use. */
const TRIES_MAX = 5;

/** How a program is started, and what its file of configuration says. */
interface Started {
  readonly command: string;
  readonly args: readonly string[];
  readonly configuration: string;
}

/** A proxy on ports of its own. */
export class ProxyProgram implements Disposable {
  readonly #program: Program;
  readonly #folder: string;
  readonly ports: readonly number[];

  private constructor(program: Program, folder: string, ports: readonly number[]) {
    this.#program = program;
    this.#folder = folder;
    this.ports = ports;
  }

  /** Squid, with ports for HTTP and HTTPS. It knows `user` with `password`, and nobody else. */
  static openSquid(): Promise<ProxyProgram> {
    return ProxyProgram.#open(2, ([http, https], folder) => {
      const command = "/usr/sbin/squid";
      return { command, args: ["-N"], configuration: squid(http ?? 0, https ?? 0, folder) };
    });
  }

  /** Dante: SOCKS5 and SOCKS4, for everybody. */
  static openDante(): Promise<ProxyProgram> {
    return ProxyProgram.#open(1, ([port], folder) => {
      const args = ["-p", join(folder, "pid")];
      return { command: "/usr/sbin/danted", args, configuration: dante(port ?? 0) };
    });
  }

  /** `ssh -D`: SOCKS5, SOCKS4 and SOCKS4a, for everybody. `using` the server too. */
  static async openSsh(): Promise<{ readonly proxy: ProxyProgram; readonly server: Disposable }> {
    // Where it is not a service nobody has made it.
    mkdirSync("/run/sshd", { recursive: true });
    const server = await ProxyProgram.#open(1, async ([port], folder) => {
      for (const name of ["host", "user"]) {
        const file = join(folder, name);
        await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
      }
      const args = ["-D", "-e"];
      return { command: "/usr/sbin/sshd", args, configuration: sshd(port ?? 0, folder) };
    });
    try {
      const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes"];
      const proxy = await ProxyProgram.#open(1, ([port], folder) => ({
        command: "ssh",
        configuration: options.map((option) => option.replace("=", " ")).join("\n"),
        args: `-N -D 127.0.0.1:${port} -F ${folder}/configuration -i ${server.#folder}/user -p ${server.ports[0]} 127.0.0.1`.split(
          " ",
        ),
      }));
      return { proxy, server };
    } catch (error) {
      server[Symbol.dispose]();
      throw error;
    }
  }

  static async #open(
    portsCount: number,
    start: (ports: readonly number[], folder: string) => Started | Promise<Started>,
  ): Promise<ProxyProgram> {
    for (let tries = 1; ; tries++) {
      const folder = mkdtempSync(join(tmpdir(), "arborio-proxy-"));
      // They give up being root.
      chmodSync(folder, 0o755);
      const ports: number[] = [];
      while (ports.length < portsCount) ports.push(await freePort());
      const { command, args, configuration } = await start(ports, folder);
      writeFileSync(join(folder, "certificate.pem"), identity.certificate);
      writeFileSync(join(folder, "key.pem"), identity.privateKey);
      // By `openssl passwd -apr1 -salt arborio1 password`.
      writeFileSync(join(folder, "users"), "user:$apr1$arborio1$OEwFLYTQZqX//D1Hf19FM1\n");
      writeFileSync(join(folder, "configuration"), configuration);
      const file = ["-f", join(folder, "configuration")];
      // For `ssh`, -f is another option.
      const program = new Program(command, [...(command === "ssh" ? [] : file), ...args]);
      try {
        for (const port of ports) await listening(program, port);
        return new ProxyProgram(program, folder, ports);
      } catch (error) {
        program[Symbol.dispose]();
        rmSync(folder, { recursive: true, force: true });
        if (tries === TRIES_MAX) throw error;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function squid(http: number, https: number, folder: string): string {
  return `
    http_port 127.0.0.1:${http}
    https_port 127.0.0.1:${https} tls-cert=${folder}/certificate.pem tls-key=${folder}/key.pem
    visible_hostname squid.test
    auth_param basic program /usr/lib/squid/basic_ncsa_auth ${folder}/users
    auth_param basic children 1
    acl known proxy_auth REQUIRED
    http_access allow known
    http_access deny all
    cache deny all
    cache_mem 0
    pinger_enable off
    pid_filename none
    access_log none
    cache_log stdio:/dev/stderr
    coredump_dir ${folder}
    shutdown_lifetime 0 seconds
  `.replaceAll(/^ +/gm, "");
}

function dante(port: number): string {
  return `
    logoutput: stderr
    internal: 127.0.0.1 port = ${port}
    external: 127.0.0.1
    clientmethod: none
    socksmethod: none
    user.privileged: root
    user.unprivileged: nobody
    client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
    socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }
  `;
}

function sshd(port: number, folder: string): string {
  return `
    Port ${port}
    ListenAddress 127.0.0.1
    HostKey ${folder}/host
    AuthorizedKeysFile ${folder}/user.pub
    StrictModes no
    UsePAM no
    PidFile none
    PermitRootLogin yes
  `;
}
