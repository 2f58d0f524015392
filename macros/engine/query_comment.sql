{% macro query_comment(node) %}
    {{- return(tojson({
        'app': 'pci-log-review',
        'invocation_id': invocation_id,
        'node': node.name if node else none,
    })) -}}
{% endmacro %}
