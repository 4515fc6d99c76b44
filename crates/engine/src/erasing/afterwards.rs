//! What is left to do after an erasure? To learn again without the person, and to let what was removed go from the
//! files. Both are for all erasures since the last time together, because both take long.

use crate::{
    Engine, EngineError, codec,
    learn::Rebuilt,
    storage::{Batch, Read, Table, Write},
};
use decision::Timestamp;

/// Within this time after an erasure a running server has finished it, in milliseconds.
pub const FINISHED_WITHIN_MS: i64 = 24 * 3_600_000;
/// Where the data says after how many erasures it was learned again.
const FINISHED: &str = "erasures_finished";

impl Engine {
    /// How many erasures were carried out and are not finished.
    pub fn unfinished_erasures(&self) -> Result<u64, EngineError> {
        let row = self.store.get(&[Read::new(Table::Meta, FINISHED)])?.remove(0);
        let finished: u64 = row.value().map_or(Ok(0), |row| codec::decode("erasures", row))?;
        Ok(self.erasures.newest().saturating_sub(finished))
    }

    /// Learns again without everybody who was erased, forgets the models that knew them, and lets what was
    /// removed go from the files. `None` when there is nothing to finish.
    pub fn finish_erasures(&self, at: Timestamp) -> Result<Option<Rebuilt>, EngineError> {
        let newest = self.erasures.newest();
        if self.unfinished_erasures()? == 0 {
            return Ok(None);
        }
        self.learn(at)?;
        let rebuilt = self.rebuild(at)?;
        self.forget_models()?;
        self.store.purge()?;
        let writes = vec![Write::put(Table::Meta, FINISHED, codec::encode(&newest))];
        self.store.commit(Batch { writes, ..Batch::default() })?.wait()?;
        Ok(Some(rebuilt))
    }
}
