"""Which actions are eligible for this customer, and which is best? FastAPI, as its manual shows it.

Usage: server.py MODEL ORGANISATION PORT
"""

import json
import sys

import numpy as np
import uvicorn
from fastapi import FastAPI

from models import MODELS, Rules

NAMES = [f"a{index:02}" for index in range(64)]


def application(model, organisation):
    with open(organisation, encoding="utf-8") as file:
        predicates = json.load(file)["predicates"]
    rules, scorer = Rules(predicates), MODELS[model](len(predicates))
    app = FastAPI()

    @app.post("/")
    async def decide(attributes: dict[str, float]):
        values = np.array([attributes[name] for name in NAMES])
        eligible = rules.eligible(values)
        best = scorer.best(values, eligible) if len(eligible) else None
        return {"eligible": eligible.tolist(), "best": best}

    return app


if __name__ == "__main__":
    model, organisation, port = sys.argv[1:]
    app = application(model, organisation)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)
