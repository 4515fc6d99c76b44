"""How is a library asked that has no server of its own? The small servers in `node/`, `python/` and `axum/`:
the attributes of a customer in, the numbers of the eligible actions out."""

import json

from client import Server, free_port, post


class Library:
    """A library behind a small HTTP server; `command` ends with the port."""

    def __init__(self, command, organisation, log):
        self.organisation, self.port = organisation, free_port()
        self.server = Server([*command, self.port], log)
        self.server.wait_for(self.port)

    def requests(self):
        """One request per customer."""
        return [post("/", json.dumps(named(values))) for values in self.organisation["customers"]]

    def right(self, number, body):
        """Whether the actions are the eligible ones."""
        return [int(action) for action in json.loads(body)["eligible"]] == self.organisation["expected"][number]

    def cpu_s(self):
        return self.server.cpu_s()

    def stop(self):
        self.server.stop()


def named(values):
    return {f"a{index:02}": value for index, value in enumerate(values)}


class Model(Library):
    """One that also says which eligible action is best."""

    def right(self, number, body):
        expected = self.organisation["expected"][number]
        return super().right(number, body) and json.loads(body)["best"] in (expected or [None])


class Bare(Library):
    """One that decides nothing: every eighth action, as many as are eligible on average."""

    def right(self, number, body):
        return json.loads(body)["eligible"] == list(range(0, len(self.organisation["predicates"]), 8))
