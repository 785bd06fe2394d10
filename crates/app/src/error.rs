//! The one mapping from what failed underneath to what the window is told.

use rabta_ipc::Error;
