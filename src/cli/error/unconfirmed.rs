//! The end of a command whose question was not answered with yes. The question itself is in `ui::prompt`.

use crate::base::exit::Exit;
use crate::ui::Ui;
use crate::ui::prompt::Unconfirmed;

/// Reports a question that was not answered with yes: no error of anybody, and no success.
pub(super) fn report_unconfirmed(ui: &Ui, unconfirmed: Unconfirmed) -> Exit {
    match unconfirmed {
        Unconfirmed::Declined => {
            ui.status("Nothing was done.");
            Exit::Failed
        }
        Unconfirmed::Cancelled(signal) => {
            ui.status("Cancelled: nothing was done.");
            signal.exit()
        }
    }
}
