//! Which actions do all allow rules together let pass, and by which clause does another one fall?
//!
//! Rules are split into clauses at their top-level `&&`. Equal clauses of one purpose are kept once,
//! and so are the conditions inside them (atoms). For a customer every atom is evaluated once, two
//! bits each; every clause that is not true drops all actions that need it in one stroke. Reasons are
//! looked up afterwards and cost nothing when nobody asks.

use super::{Clause, Facts, Flip, Reads, Rule, Truth, cost, expression::Expression, flips};
use crate::strategy::{ActionIndex, PurposeIndex};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which question an allow rule answers, in the order they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// May we.
    Eligibility,
    /// Does it make sense now.
    Applicability,
    /// Is it good for this customer.
    Suitability,
}

/// A rule that has to be true for an action to pass.
#[derive(Debug, Clone)]
pub struct AllowRule {
    /// Of which action.
    pub action: ActionIndex,
    /// Which question it answers.
    pub layer: Layer,
    /// For which purpose it reads.
    pub purpose: PurposeIndex,
    /// The rule.
    pub rule: Rule,
}

/// Position of a clause in its rule book.
pub type ClauseIndex = u32;

/// All allow rules of all actions.
#[derive(Debug, Default)]
pub struct RuleBook {
    atoms: Vec<Atom>,
    clauses: Vec<Clause>,
    /// Per clause: how it follows from the atoms.
    formulas: Vec<Formula>,
    /// Per clause: the actions that need it.
    needed_by: Vec<Bits>,
    /// Per action: its clauses, in the order of the layers and of the rule.
    needs: Vec<Vec<(Layer, ClauseIndex)>>,
}

#[derive(Debug)]
struct Atom {
    purpose: PurposeIndex,
    condition: Expression,
}

#[derive(Debug)]
enum Formula {
    Atom(usize),
    Not(Box<Formula>),
    All(Vec<Formula>),
    Any(Vec<Formula>),
}

/// Why an action does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// At which question.
    pub layer: Layer,
    /// By which clause.
    pub clause: ClauseIndex,
    /// `False` or `Unknown`.
    pub truth: Truth,
}

/// The result of all allow rules for one customer and request.
#[derive(Debug)]
pub struct Evaluation<'b> {
    book: &'b RuleBook,
    truths: Vec<Truth>,
    dropped: Bits,
}

impl RuleBook {
    /// Compiles the rules of a catalogue of `actions` actions. An action without rules passes.
    ///
    /// # Panics
    /// When a rule belongs to an action outside the catalogue.
    pub fn compile(mut rules: Vec<AllowRule>, actions: usize) -> Self {
        rules.sort_by_key(|rule| (rule.action, rule.layer));
        let mut compiler = Compiler::default();
        compiler.book.needs.resize_with(actions, Vec::new);
        for rule in rules {
            for clause in rule.rule.split() {
                compiler.add(rule.action, rule.layer, rule.purpose, clause);
            }
        }
        compiler.book
    }

    /// Evaluates all rules once; `facts` shows what is permitted for a purpose.
    pub fn evaluate<'f>(&self, facts: &dyn Fn(PurposeIndex) -> &'f dyn Facts) -> Evaluation<'_> {
        let mut holds = Bits::zeros(self.atoms.len());
        let mut unknown = Bits::zeros(self.atoms.len());
        for (index, atom) in self.atoms.iter().enumerate() {
            match atom.condition.truth(facts(atom.purpose)) {
                Some(true) => holds.set(index),
                Some(false) => {}
                None => unknown.set(index),
            }
        }
        let mut dropped = Bits::zeros(self.needs.len());
        let truths = self
            .formulas
            .iter()
            .zip(&self.needed_by)
            .map(|(formula, actions)| {
                let truth = formula.truth(&holds, &unknown);
                if truth != Truth::True {
                    dropped.add(actions);
                }
                truth
            })
            .collect();
        Evaluation { book: self, truths, dropped }
    }

    /// Most steps that [`RuleBook::evaluate`] takes, whoever the customer is.
    pub fn steps_max(&self) -> u64 {
        let atoms = self.atoms.iter().map(|atom| cost::steps_max(&atom.condition));
        atoms.chain(self.formulas.iter().map(Formula::parts)).sum()
    }

    /// A clause of this book.
    pub fn clause(&self, index: ClauseIndex) -> &Clause {
        &self.clauses[index as usize]
    }

    /// What the rules of an action read, for whatever customer.
    pub fn reads(&self, action: ActionIndex) -> Reads {
        let mut reads = Reads::default();
        self.clauses_of(action).for_each(|clause| reads.extend(clause.rule.reads()));
        reads
    }

    /// The cheapest changes after which an action passes all its rules (see [`Rule::flips`]).
    pub fn flips(&self, action: ActionIndex, facts: &dyn Facts) -> Option<Vec<Flip>> {
        let domains = self
            .clauses_of(action)
            .flat_map(|clause| clause.rule.domains.iter())
            .map(|(reference, domain)| (*reference, domain.clone()))
            .collect();
        let goals = self.clauses_of(action).map(|clause| (&clause.rule.expression, true));
        flips::cheapest(goals, &domains, facts)
    }

    fn clauses_of(&self, action: ActionIndex) -> impl Iterator<Item = &Clause> {
        self.needs[usize::from(action)].iter().map(|(_, clause)| self.clause(*clause))
    }
}

impl Evaluation<'_> {
    /// Whether the action passes all its rules.
    pub fn allowed(&self, action: ActionIndex) -> bool {
        !self.dropped.get(usize::from(action))
    }

    /// The first clause by which the action falls, in the order of the layers, then of the rule;
    /// `None` when it passes.
    pub fn refusal(&self, action: ActionIndex) -> Option<Refusal> {
        self.book.needs[usize::from(action)].iter().find_map(|(layer, clause)| {
            let truth = self.truths[*clause as usize];
            (truth != Truth::True).then_some(Refusal { layer: *layer, clause: *clause, truth })
        })
    }
}

impl Formula {
    fn parts(&self) -> u64 {
        match self {
            Self::Atom(_) => 1,
            Self::Not(inner) => 1 + inner.parts(),
            Self::All(terms) | Self::Any(terms) => 1 + terms.iter().map(Self::parts).sum::<u64>(),
        }
    }

    fn truth(&self, holds: &Bits, unknown: &Bits) -> Truth {
        match self {
            Self::Atom(index) if unknown.get(*index) => Truth::Unknown,
            Self::Atom(index) => Truth::of(Some(holds.get(*index))),
            Self::Not(inner) => match inner.truth(holds, unknown) {
                Truth::True => Truth::False,
                Truth::Unknown => Truth::Unknown,
                Truth::False => Truth::True,
            },
            Self::All(terms) => {
                terms.iter().map(|term| term.truth(holds, unknown)).min().unwrap_or(Truth::True)
            }
            Self::Any(terms) => {
                terms.iter().map(|term| term.truth(holds, unknown)).max().unwrap_or(Truth::False)
            }
        }
    }
}

/// Finds equal clauses and atoms by how they are written out.
#[derive(Default)]
struct Compiler {
    book: RuleBook,
    known_clauses: BTreeMap<(PurposeIndex, String), ClauseIndex>,
    known_atoms: BTreeMap<(PurposeIndex, String), usize>,
}

impl Compiler {
    fn add(&mut self, action: ActionIndex, layer: Layer, purpose: PurposeIndex, rule: Rule) {
        let clause = self.clause(purpose, rule);
        self.book.needed_by[clause as usize].set(usize::from(action));
        let needs = &mut self.book.needs[usize::from(action)];
        if !needs.iter().any(|(_, known)| *known == clause) {
            needs.push((layer, clause));
        }
    }

    fn clause(&mut self, purpose: PurposeIndex, rule: Rule) -> ClauseIndex {
        let key = (purpose, format!("{:?}", rule.expression));
        if let Some(known) = self.known_clauses.get(&key) {
            return *known;
        }
        let index = u32::try_from(self.book.clauses.len()).expect("fewer than 2^32 clauses fit in memory");
        let formula = self.formula(purpose, &rule.expression);
        let actions = self.book.needs.len();
        self.book.formulas.push(formula);
        self.book.clauses.push(Clause { rule, purpose });
        self.book.needed_by.push(Bits::zeros(actions));
        self.known_clauses.insert(key, index);
        index
    }

    fn formula(&mut self, purpose: PurposeIndex, expression: &Expression) -> Formula {
        match expression {
            Expression::Not(inner) => Formula::Not(Box::new(self.formula(purpose, inner))),
            Expression::All(terms) => {
                Formula::All(terms.iter().map(|term| self.formula(purpose, term)).collect())
            }
            Expression::Any(terms) => {
                Formula::Any(terms.iter().map(|term| self.formula(purpose, term)).collect())
            }
            condition => Formula::Atom(self.atom(purpose, condition)),
        }
    }

    fn atom(&mut self, purpose: PurposeIndex, condition: &Expression) -> usize {
        let atoms = &mut self.book.atoms;
        let key = (purpose, format!("{condition:?}"));
        *self.known_atoms.entry(key).or_insert_with(|| {
            atoms.push(Atom { purpose, condition: condition.clone() });
            atoms.len() - 1
        })
    }
}

/// A set of small numbers.
#[derive(Debug)]
struct Bits(Vec<u64>);

impl Bits {
    fn zeros(count: usize) -> Self {
        Self(vec![0; count.div_ceil(64)])
    }
    fn set(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }
    fn get(&self, index: usize) -> bool {
        self.0[index / 64] & 1 << (index % 64) != 0
    }
    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, more)| *word |= more);
    }
}
