"""How is Unleash asked which of its flags are on? A PostgreSQL of its own, the rules as an import file, and
its frontend API."""

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from client import Server, Trouble, free_port, post

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
TOKEN = "default:development.of-this-benchmark"


def flags(predicates):
    """The rules as Unleash exports and imports them: one flag per action, one strategy with three constraints."""
    names = [f"action_{action}" for action in range(len(predicates))]

    def constraint(attribute, above, threshold):
        comparison = {"operator": "NUM_GT" if above else "NUM_LTE", "value": str(threshold)}
        return {"contextName": f"a{attribute:02}", "values": [], **comparison}

    def strategy(name, rule):
        constraints = [constraint(*one) for one in rule]
        return {"name": "default", "featureName": name, "parameters": {}, "constraints": constraints}

    return {
        "features": [{"name": name, "type": "release", "project": "default"} for name in names],
        "featureStrategies": [strategy(name, rule) for name, rule in zip(names, predicates)],
        "featureEnvironments": [
            {"name": name, "featureName": name, "environment": "development", "enabled": True} for name in names
        ],
        "contextFields": [{"name": f"a{attribute:02}"} for attribute in range(64)],
        "segments": [],
    }


class Postgres:
    """A database cluster in a temporary folder, as the user `postgres` when we are root."""

    def __init__(self):
        if not PROGRAMS:
            raise Trouble("needs PostgreSQL (Debian: `apt-get install postgresql`)")
        self.folder = Path(tempfile.mkdtemp(prefix="attent-peers-"))
        self.port = free_port()
        person = {}
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            person = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        data = self.folder / "data"
        make = [PROGRAMS[-1] / "initdb", "-D", data, "-U", "unleash", "-A", "trust", "-E", "UTF8", "--locale=C"]
        subprocess.run(make, check=True, capture_output=True, cwd=self.folder, **person)
        run = [PROGRAMS[-1] / "postgres", "-D", data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1"]
        run += ["-c", f"unix_socket_directories={self.folder}"]
        self.server = Server(run, self.folder.with_suffix(".log"), cwd=self.folder, **person)
        self.server.wait_for(self.port)

    def stop(self):
        self.server.stop()
        self.server.log.unlink()
        shutil.rmtree(self.folder)


class Unleash:
    """The server and its database; both count."""

    def __init__(self, program, organisation, log):
        self.organisation, self.port = organisation, free_port()
        file = organisation["folder"] / "flags.json"
        file.write_text(json.dumps(flags(organisation["predicates"])))
        self.database = Postgres()
        settings = {
            "DATABASE_URL": f"postgres://unleash@127.0.0.1:{self.database.port}/postgres",
            "DATABASE_SSL": "false",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": str(self.port),
            "IMPORT_FILE": str(file),
            "INIT_FRONTEND_API_TOKENS": TOKEN,
            "FRONTEND_API_REFRESH_INTERVAL_MS": "10000",
            "TOKEN_AUTHENTICATION_RATE_LIMIT_PER_MINUTE": "100000000",
            "SDK_API_RATE_LIMIT_PER_MINUTE": "100000000",
            "CHECK_VERSION": "false",
            "SEND_TELEMETRY": "false",
            "NODE_ENV": "production",
        }
        try:
            self.server = Server(["node", program], log, env={**os.environ, **settings})
            self.server.wait_for(self.port)
        except Trouble:
            self.stop()
            raise

    def cpu_s(self):
        return self.server.cpu_s() + self.database.server.cpu_s()

    def stop(self):
        self.server.stop()
        self.database.stop()

    def requests(self):
        """One request per customer."""
        headers = [f"Authorization: {TOKEN}"]
        return [post("/api/frontend", question(values), headers) for values in self.organisation["customers"]]

    def right(self, number, body):
        """Whether the flags that are on are those of the eligible actions."""
        on = sorted(int(flag["name"].removeprefix("action_")) for flag in json.loads(body)["toggles"])
        return on == self.organisation["expected"][number]


def question(values):
    """The body of a request about a customer with these values; Unleash takes text only."""
    properties = {f"a{index:02}": str(value) for index, value in enumerate(values)}
    return json.dumps({"context": {"properties": properties}})
