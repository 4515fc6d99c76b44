// How does each library say the same rules? One function per peer: it takes the rules once and gives back
// a function from the attributes of a customer to the numbers of the eligible actions.
// It does not know HTTP.

import { ZenEngine } from '@gorules/zen-engine';
import { GrowthBookClient } from '@growthbook/growthbook';
import jsonLogic from 'json-logic-js';

const name = (attribute) => `a${String(attribute).padStart(2, '0')}`;

/** No rules at all: reads the body, answers with as much as an answer has. */
export function bare(rules) {
  const answer = rules.map((_, action) => action).filter((action) => action % 8 === 0);
  return (attributes) => (attributes.a00 === undefined ? [] : answer);
}

/** What somebody writes who needs no library: a loop. */
export function loop(rules) {
  const named = rules.map((rule) => rule.map(([attribute, above, threshold]) => ({ key: name(attribute), above, threshold })));
  return (attributes) => {
    const eligible = [];
    named.forEach((rule, action) => {
      if (rule.every(({ key, above, threshold }) => (attributes[key] > threshold) === above)) eligible.push(action);
    });
    return eligible;
  };
}

/** A decision table that collects: one row per action, one expression cell with its three predicates. */
export function zen(rules) {
  const row = (rule, action) => ({
    _id: `row-${action}`,
    when: rule.map(([attribute, above, threshold]) => `${name(attribute)} ${above ? '>' : '<='} ${threshold}`).join(' and '),
    action: String(action),
  });
  const table = {
    hitPolicy: 'collect',
    inputs: [{ id: 'when', name: 'When' }],
    outputs: [{ id: 'action', name: 'Action', field: 'action' }],
    rules: rules.map(row),
  };
  const decision = new ZenEngine().createDecision({
    contentType: 'application/vnd.gorules.decision',
    nodes: [
      { id: 'in', name: 'Request', type: 'inputNode' },
      { id: 'table', name: 'Actions', type: 'decisionTableNode', content: table },
      { id: 'out', name: 'Response', type: 'outputNode' },
    ],
    edges: [
      { id: 'first', type: 'edge', sourceId: 'in', targetId: 'table' },
      { id: 'second', type: 'edge', sourceId: 'table', targetId: 'out' },
    ],
  });
  return async (attributes) => (await decision.evaluate(attributes)).result.map((row) => row.action);
}

/** A feature per action, forced on where its condition holds. */
export function growthbook(rules) {
  const predicate = ([attribute, above, threshold]) => ({ [name(attribute)]: { [above ? '$gt' : '$lte']: threshold } });
  const feature = (rule) => ({ defaultValue: false, rules: [{ condition: { $and: rule.map(predicate) }, force: true }] });
  const keys = rules.map((_, action) => `action_${action}`);
  const features = Object.fromEntries(rules.map((rule, action) => [keys[action], feature(rule)]));
  const client = new GrowthBookClient().initSync({ payload: { features } });
  return (attributes) => {
    const customer = client.createScopedInstance({ attributes });
    return keys.flatMap((key, action) => (customer.isOn(key) ? [action] : []));
  };
}

/** A JSON expression per action. */
export function jsonlogic(rules) {
  const predicate = ([attribute, above, threshold]) => ({ [above ? '>' : '<=']: [{ var: name(attribute) }, threshold] });
  const expressions = rules.map((rule) => ({ and: rule.map(predicate) }));
  return (attributes) => expressions.flatMap((expression, action) => (jsonLogic.apply(expression, attributes) ? [action] : []));
}
