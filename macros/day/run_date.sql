{# It is checked here, before it reaches any SQL. #}
{% macro run_date() %}
    {% set given = var('run_date') %}
    {% if given is none %}
        {{ exceptions.raise_compiler_error("run_date is given and empty; write it as 2026-11-22, or leave it out") }}
    {% endif %}
    {% if given == 'yesterday' %}
        {% set yesterday = run_started_at.astimezone(modules.pytz.utc) - modules.datetime.timedelta(days=1) %}
        {{ return(yesterday.strftime('%Y-%m-%d')) }}
    {% endif %}
    {% set day = given | string %}
    {% set is_written_so = modules.re.fullmatch('20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])', day) %}
    {# the 28th or a later day exists if counting from the first of the month stays in the month #}
    {% set counted = modules.datetime.date(day[:4] | int, day[5:7] | int, 1) + modules.datetime.timedelta(
        days=day[8:] | int - 1
    ) if is_written_so %}
    {% if not is_written_so or counted.isoformat() != day %}
        {{ exceptions.raise_compiler_error("run_date '" ~ day ~ "' is not a day; write it as 2026-11-22") }}
    {% endif %}
    {{ return(day) }}
{% endmacro %}
