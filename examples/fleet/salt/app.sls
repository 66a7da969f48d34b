{# What a release installs: here, one file that says which. #}
app-version:
  test.configurable_test_state:
    - changes: true
    - result: {{ not salt['pillar.get']('break', False) }}
    - comment: version {{ salt['pillar.get']('minion:latest_release_version', 'unknown') }}
