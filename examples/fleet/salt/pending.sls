{# Applies what the pillar lists; the marker tells up to which change that is. #}
{%- set names = salt['pillar.get']('minion_ext:pending_sls', []) %}
{% if names %}
include:
{% for name in names %}
  - {{ name }}
{% endfor %}
{% endif %}

{% if salt['pillar.get']('minion_ext:max_pending_sync') %}
pending-applied:
  test.succeed_without_changes:
    - comment: '{{ salt['pillar.get']('minion_ext:max_pending_sync') }}'
{% endif %}
