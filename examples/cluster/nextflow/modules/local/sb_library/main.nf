// The index of the library that ships, built once for all tasks that query it.
process SB_LIBRARY {
    tag "$meta.id"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container "specbridge_tools:0.1.0"

    input:
    val meta

    output:
    tuple val(meta), path("${prefix}.index.h5"), emit: index
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    sb-library build \\
        --threads ${task.cpus} \\
        -o ${prefix}.index.h5 \\
        ${args}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        specbridge_tools: \$(sb-info --version | sed 's/.* //')
    END_VERSIONS
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.index.h5

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        specbridge_tools: \$(sb-info --version | sed 's/.* //')
    END_VERSIONS
    """
}
