//! What the files of users are read with: YAML with places, diagnostics, templates.
