"""Which test needs which cap: what `test_borders.py` runs in a copy where that cap is gone."""

from __future__ import annotations

TESTS: dict[str, dict[str, str]] = {
    "tests/dataset/test_identity.py": {
        "dataset/identity.py: MAX_ROWS": "test_more_rows_than_any_training_has_are_not_looked_at",
        "dataset/identity.py: MAX_RUNS": "test_the_json_form_is_small",
        "dataset/identity.py: MAX_RUNS (2)": "test_a_hostile_json_form_is_refused",
        "dataset/identity.py: MAX_ROWS (2)": "test_a_hostile_json_form_is_refused",
        "dataset/identity.py: MAX_ROWS (3)": "test_a_hostile_json_form_is_refused",
    },
    "tests/delegation/test_door.py": {
        "delegation/door.py: MOST_LINES": "test_few_lines_are_served_at_once",
        "delegation/door.py: MAX_REQUEST_BYTES": "test_a_request_over_the_cap_is_not_read",
        "delegation/door.py: MOST_REFUSALS": "test_refusals_are_kept_up_to_a_number",
        "delegation/ledger.py: MOST_FITS": "test_trainings_without_end_are_refused",
        "delegation/ledger.py: MOST_UPLOAD_BYTES": "test_states_that_are_brought_are_kept_up_to_a_size",
    },
    "tests/delegation/test_store.py": {
        "delegation/memory.py: MOST_BYTES": "test_a_memory_has_bounds_unless_told_others",
        "delegation/memory.py: MOST_S": "test_a_memory_has_bounds_unless_told_others",
    },
    "tests/test_records.py": {
        "evidence.py: MAX_CLASSES": "test_a_measurement_of_too_many_classes_is_refused",
        "execution.py: MAX_BLOB_BYTES": "test_variables_over_the_cap_are_none",
        "recipes.py: MAX_LAYERS": "test_what_does_not_fit_is_dropped_and_counted",
        "recipes.py: MAX_LAYERS (2)": "test_what_does_not_fit_is_dropped_and_counted",
        "records.py: MAX_RECORDS_BYTES": "test_a_file_over_the_cap_is_not_read",
        "records.py: MAX_RECORDS": "test_records_beyond_the_cap_are_not_read_and_that_is_said",
        "records.py: MAX_RECORDS (2)": "test_records_beyond_the_cap_are_not_read_and_that_is_said",
        "records.py: MAX_RECORDS (3)": "test_records_beyond_the_cap_are_not_read_and_that_is_said",
        "records.py: MAX_RECORD_BYTES": "test_a_line_over_the_cap_is_dropped",
        "records.py: MAX_FIGURES": "test_figures_beyond_the_cap_are_dropped",
    },
    "tests/intake/test_archive.py": {
        "intake/archive.py: MAX_ENTRIES": "test_an_archive_over_a_cap_is_refused",
        "intake/archive.py: MAX_TOTAL_BYTES": "test_an_archive_over_a_cap_is_refused",
        "intake/archive.py: MAX_DIRECTORY_BYTES": "test_a_directory_that_fills_the_memory_is_not_read",
        "intake/archive.py: MAX_NAME_BYTES": "test_names_that_no_file_has",
        "intake/archive.py: MAX_DEPTH": "test_names_that_no_file_has",
        "intake/archive.py: MAX_FILE_BYTES": "test_a_file_over_the_cap_is_that_students_fault",
        "intake/archive.py: MAX_RATIO": "test_a_bomb_is_that_students_fault",
    },
    "tests/intake/test_folder.py": {
        "intake/folder.py: MAX_FILE_BYTES": "test_read_file",
        "intake/folder.py: MAX_SHOWN_PATH": "test_long_ways_are_shown_in_part",
        "intake/folder.py: MAX_DEPTH": "test_folders_too_deep_are_not_entered",
        "intake/listing.py: MAX_SHOWN_PATH": "test_long_ways_are_shown_in_part",
        "intake/students.py: MAX_ID": "test_ids_are_safe_for_every_name",
        "intake/students.py: MAX_NAME": "test_ids_are_safe_for_every_name",
    },
    "tests/intake/test_people.py": {
        "intake/people.py: MAX_CSV_BYTES": "test_a_file_that_is_no_list_of_a_class_is_not_read",
    },
    "tests/test_measuring.py": {
        "measuring.py: MAX_MEASURED": "test_of_trainings_without_end_the_last_are_measured",
        "measuring.py: MAX_OTHERS": "test_earlier_rows_without_end_are_taken_as_known_by_heart",
    },
    "tests/test_notebook.py": {
        "notebook.py: MAX_WORD": "test_our_metadata_is_plain_strings",
        "notebook.py: MAX_CELLS": "test_over_the_caps",
        "notebook.py: MAX_SOURCE_BYTES": "test_over_the_caps",
        "notebook.py: MAX_ROLE_KEYS": "test_our_metadata_is_short",
        "notebook.py: MAX_ROLE_KEYS (2)": "test_our_metadata_is_short",
        "unreadable.py: MAX_FILE_BYTES": "test_over_the_caps",
        "unreadable.py: MAX_CONTAINERS": "test_more_values_than_a_notebook_has_are_refused",
        "unreadable.py: MAX_COMMAS": "test_more_values_than_a_notebook_has_are_refused",
    },
    "tests/report/test_executed.py": {
        "report/executed.py: MOST_BYTES": "test_the_page_has_a_cap",
    },
    "tests/report/test_html.py": {
        "report/html.py: MOST_BYTES": "test_pictures_that_make_a_page_too_large_are_left_out",
    },
    "tests/training/test_trainer.py": {
        "training/build.py: MAX_VALUES": "test_refuses_a_batch_that_is_too_large",
        "training/build.py: MAX_WORK": "test_what_would_take_too_long_is_seen_before",
        "training/build.py: MAX_LAYERS": "test_refuses_what_is_not_on_the_allow_list",
        "training/build.py: MAX_PARAMETERS": "test_refuses_what_is_not_on_the_allow_list",
        "training/build.py: MAX_PARAMETERS (2)": "test_refuses_what_is_not_on_the_allow_list",
        "training/live.py: MAX_CLASSES": "test_refuses_labels_of_too_many_classes",
        "training/measure.py: MAX_CLASSES": "test_refuses_outputs_that_are_no_classes",
    },
    "tests/test_wire.py": {
        "wire.py: MAX_RECORD_BYTES": "test_records_are_lines_of_plain_json",
        "wire.py: MAX_RECORDS_BYTES": "test_a_length_over_the_cap_is_refused_unread",
        "wire.py: MAX_BLOBS": "test_blobs_over_the_caps_are_refused_though_they_came",
        "wire.py: MAX_BLOB_BYTES": "test_blobs_over_the_caps_are_refused_though_they_came",
    },
}
AIMED = {use: f"{file}::{test}" for file, uses in TESTS.items() for use, test in uses.items()}
