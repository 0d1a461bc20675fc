# Text files of the tree as constants in the binary, so that one file is all that is deployed.

set(ROWCAST_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_script.cmake)

# Defines rowcast::postgres::install_sql and uninstall_sql (postgres/embedded_sql.hpp) from FOLDER: install.sql with the
# files that its `\ir` lines name, in their order, and uninstall.sql.
function(rowcast_embed_sql TARGET FOLDER)
    rowcast_embed_(${TARGET} sql ${FOLDER} rowcast::postgres "" postgres/embedded_sql.hpp)
endfunction()

# Defines `const std::span<const core::embedded_file> NAMESPACE::NAME` from all files directly in FOLDER, and the files of
# the system that are named besides; HEADER declares it.
function(rowcast_embed_files TARGET FOLDER NAMESPACE NAME HEADER)
    rowcast_embed_(${TARGET} files ${FOLDER} ${NAMESPACE} ${NAME} ${HEADER} ${ARGN})
endfunction()

function(rowcast_embed_ TARGET KIND FOLDER NAMESPACE NAME HEADER)
    set(folder ${CMAKE_CURRENT_SOURCE_DIR}/${FOLDER})
    string(MAKE_C_IDENTIFIER ${FOLDER} identifier)
    set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded/${identifier}.cpp)
    file(GLOB_RECURSE inputs CONFIGURE_DEPENDS ${folder}/*)
    add_custom_command(
        OUTPUT ${output}
        COMMAND ${CMAKE_COMMAND} -DKIND=${KIND} -DFOLDER=${folder} -DNAMESPACE=${NAMESPACE} -DNAME=${NAME}
                -DHEADER=${HEADER} "-DBESIDES=${ARGN}" -DOUTPUT=${output} -P ${ROWCAST_EMBED_SCRIPT}
        DEPENDS ${inputs} ${ARGN} ${ROWCAST_EMBED_SCRIPT}
        COMMENT "Embedding ${FOLDER}"
        VERBATIM)
    target_sources(${TARGET} PRIVATE ${output})
    # Text longer than a standard's minimum for literals is the purpose here.
    set_source_files_properties(${output} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
endfunction()
