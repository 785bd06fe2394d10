//! rabta-search
