// The whole of all parts of a run.
process SB_MERGE {
    tag "$meta.id"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container "specbridge_tools:0.1.0"

    input:
    tuple val(meta), path(parts)

    output:
    tuple val(meta), path("${prefix}.tsv"), emit: merged
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    sb-merge ${parts} \\
        -o ${prefix}.tsv \\
        ${args}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        specbridge_tools: \$(sb-info --version | sed 's/.* //')
    END_VERSIONS
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.tsv

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        specbridge_tools: \$(sb-info --version | sed 's/.* //')
    END_VERSIONS
    """
}
