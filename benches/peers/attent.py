"""How is Attent asked, with everything it does: keys, consent, contact policy, learned models, a durable
record of every decision?"""

import json

from client import Client, Server, free_port, get, post

EXPLAINED = 200
# Nobody waits here, and a busy machine must not turn decisions into defaults, which cost less.
DEADLINE_MS = 60_000


class Attent:
    """The server on the store that was written with the organisation."""

    def __init__(self, program, organisation, log):
        self.organisation, self.port = organisation, free_port()
        self.answers, self.said, self.again = 0, 0, 0
        folder = organisation["folder"]
        command = [program, "serve", "--json", "--new-key", "--listen", f"127.0.0.1:{self.port}"]
        command += ["--strategy", folder / "strategy", "--data", folder / "data", "--deadline-ms", DEADLINE_MS]
        self.server = Server(command, log)
        first = self.server.wait_until(self.announced)
        self.headers = [f"Authorization: Bearer {first['key']}"]

    def announced(self):
        """What it prints when it serves, once it does."""
        lines = self.server.log.read_text().splitlines(keepends=True)
        whole = [line for line in lines if line.startswith("{") and line.endswith("\n")]
        return json.loads(whole[0]) if whole else None

    def requests(self):
        """One decision request per customer."""
        asked = {"channel": "web", "placements": [{"placement": "home"}]}
        customers = range(len(self.organisation["customers"]))
        bodies = [{"customer": {"identifiers": {"user_id": f"u{number}"}}, **asked} for number in customers]
        return [post("/v1/decide", json.dumps(body), self.headers) for body in bodies]

    def right(self, number, body):
        """Whether a decision was made, and what is said, if anything, is eligible for the customer."""
        answer, fitting = json.loads(body), {*self.eligible(number), None}
        [slot] = answer["slots"]
        self.answers += 1
        self.said += slot["action"] is not None
        self.again += "reuses" in slot
        return not answer["default"] and slot["action"] in fitting

    def also_right(self):
        """Whether the records of some decisions tell exactly the eligible actions: how many do, of how many."""
        client = Client(self.port, self.requests())
        answers = client.send(EXPLAINED)
        client.close()
        paths = [f"/v1/decisions/{json.loads(body)['decision']}?reading=auditor" for _, body in answers]
        client = Client(self.port, [get(path, self.headers) for path in paths])
        told = [(answers[place][0], told_eligible(json.loads(body))) for place, body in client.send(len(paths))]
        client.close()
        return sum(actions == self.eligible(number) for number, actions in told), len(told)

    def eligible(self, number):
        """The paths of the actions that are eligible for the customer."""
        return {self.organisation["paths"][action] for action in self.organisation["expected"][number]}

    def cpu_s(self):
        return self.server.cpu_s()

    def stop(self):
        self.server.stop()


def told_eligible(explanation):
    """The actions that were left after eligibility."""
    before = ("consent", "catalogue", "eligibility")
    return {one["action"]["id"] for one in explanation["candidates"] if one["outcome"].get("step") not in before}
