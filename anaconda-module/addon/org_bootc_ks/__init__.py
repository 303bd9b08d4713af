"""The Anaconda add-on of bootc-ks: looks at the container image before any disk is written.

    kickstart ──► service/ ──► settings, reading      what was asked for
                     │
                     ├──► checks ──► bootc_ks.inspect what is there
                     │
    gui/, tui/ ◄─────┘ state, texts                   what is said

The modules of this directory know nothing of Anaconda and run anywhere; only `service`, `gui`
and `tui` import pyanaconda.
"""
