"""Adds up the exported log of an integrity report by itself, and compares every figure. Standard library only.

    recompute.py REPORT.json LOG.jsonl
"""
import collections
import json
import math
import statistics
import sys

report = json.load(open(sys.argv[1], encoding="utf-8"))
lines = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
Z95 = 1.959963984540054
compared = 0


def same(what, found, expected):
    global compared
    compared += 1
    equal = found == expected
    if isinstance(found, float) and isinstance(expected, (int, float)):
        equal = abs(found - expected) <= 1e-9 * max(1.0, abs(expected))
    if not equal:
        sys.exit(f"{what}: the report says {found}, the log says {expected}")


def same_share(what, found, happened, customers):
    same(what + " customers", found["customers"], customers)
    same(what + " happened", found["happened"], happened)
    if customers == 0:
        share, low, high = 0.0, 0.0, 1.0
    else:
        share, square = happened / customers, Z95 * Z95
        middle = (share + square / (2 * customers)) / (1 + square / customers)
        under = share * (1 - share) / customers + square / (4 * customers * customers)
        spread = Z95 / (1 + square / customers) * math.sqrt(under)
        low, high = max(middle - spread, 0.0), min(middle + spread, 1.0)
    for name, value in (("share", share), ("low", low), ("high", high)):
        same(f"{what} {name}", found[name], value)


def of(kind):
    return [line for line in lines if line["line"] == kind]


decisions = of("decision")
people = {line["customer"] for line in decisions} - {None}
same("decisions", report["decisions"], len(decisions))
same("customers", report["customers"], len(people))
slots = sum(line["slots"] for line in decisions)
same_share("silence", report["silence"], slots - sum(len(line["said"]) for line in decisions), slots)

vetoes = collections.Counter(principle for line in decisions for principle in line["vetoed_by"])
for veto in report["vetoes"]:
    same(f"vetoes of {veto['principle']}", veto["decisions"], vetoes.pop(veto["principle"], 0))
same("other vetoes", 0, len(vetoes))

for name, outcome in (("complaints", "complaint"), ("opt_outs", "opt_out")):
    concerned = {line["customer"] for line in of("happened") if line["outcome"] == outcome} & people
    same_share(name, report[name], len(concerned), len(people))

groups = collections.defaultdict(list)
for line in of("came_of"):
    groups[line["group"]].append(line)


def same_mean(what, found, mean, squared_error, customers):
    same(what, found["mean"], mean)
    far = Z95 * math.sqrt(squared_error) if customers >= 30 else None
    same(what + " low", found["low"], None if far is None else mean - far)
    same(what + " high", found["high"], None if far is None else mean + far)


def variance(values):
    return statistics.variance(values) if len(values) > 1 else 0.0


same("groups", sorted(ledger["group"] for ledger in report["ledgers"]), sorted(groups))
for ledger in report["ledgers"]:
    group = groups[ledger["group"]]
    same("looked at", ledger["customers"], len(group))
    for place, side in enumerate(("customer", "organisation")):
        values = [line[side] for line in group]
        what = f"{ledger['group']} {side}"
        same_mean(what, ledger[side], statistics.fmean(values), variance(values) / len(values), len(values))
        if ledger["added"] is not None:
            ours = [line[side] for line in groups["strategy"]]
            squared = variance(ours) / len(ours) + variance(values) / len(values)
            apart = statistics.fmean(ours) - statistics.fmean(values)
            same_mean(what + " added", ledger["added"][place], apart, squared, min(len(ours), len(values)))

said = collections.defaultdict(collections.Counter)
for line in of("consent"):
    said[line["purpose"], line["month"]][line["status"]] += 1
same("consents", {(one["purpose"], one["month"]): one["statements"] for one in report["consents"]}, dict(said))

reviews = collections.Counter((line["why"], line["approved"]) for line in of("review"))
for one in report["reviews"]:
    for name, approved in (("approved", True), ("refused", False), ("waiting", None)):
        same(f"reviews {one['why']} {name}", one[name], reviews.pop((one["why"], approved), 0))
same("other reviews", 0, sum(reviews.values()))

reached = collections.defaultdict(list)
for line in of("happened"):
    reached[line["customer"], line["event"]].append(line["at_ms"])
selected, benefited = collections.defaultdict(set), collections.defaultdict(set)
for line in decisions:
    for one in line["said"]:
        selected[line["customer"]].add(one["issue"])
        until = line["at_ms"] + one["within_ms"]
        if any(line["at_ms"] <= at <= until for at in reached[line["customer"], one["goal"]]):
            benefited[line["customer"]].add(one["issue"])
group_of = {(line["customer"], line["attribute"]): line["group"] for line in of("group")}
fairness = report["fairness"]
same("people", fairness["customers"], len(people))
chances = []
for one in fairness["compared"]:
    known = {person for person in people if (person, one["attribute"]) in group_of}
    ours = {person for person in known if group_of[person, one["attribute"]] == one["group"]}
    sets = selected if one["rate"] == "selection" else benefited
    happened = {person for person in known if (sets[person] if one["issue"] == "all" else one["issue"] in sets[person])}
    what = f"{one['attribute']} = {one['group']}, {one['issue']}, {one['rate']}"
    same_share(what, one["ours"], len(ours & happened), len(ours))
    same_share(what + ", others", one["others"], len(happened - ours), len(known - ours))
    pooled = len(happened) / len(known)
    spread = pooled * (1 - pooled) * (1 / len(ours) + 1 / len(known - ours))
    apart = one["ours"]["share"] - one["others"]["share"]
    chances.append(math.erfc(abs(apart) / math.sqrt(2 * spread)) if spread > 0 else 1.0)
least = 0.0
for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
    one = fairness["compared"][place]
    least = max(least, min(chances[place] * (len(chances) - rank), 1.0))
    same("probability", one["p"], least)
    a, b = one["ours"]["share"], one["others"]["share"]
    same("alarm", one["alarm"], least < 0.05 and not 0.8 * b <= a <= 1.25 * b)
print(f"{compared} figures are equal")
