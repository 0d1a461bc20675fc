# Run after a test program is linked: one add_test for each of its Catch test cases, in the file that ctest reads.
# (Catch 2's own script splits names at semicolons, and knows no properties by tag.)
#
# Tags that mean something here:
#   [serial]   nothing else may run meanwhile, e.g. because an open transaction anywhere in the cluster would disturb it
#   [long]     it may take twice as long as the others

cmake_minimum_required(VERSION 3.25)

# Names one a line; in lists a semicolon would separate, so it is written as this byte meanwhile.
string(ASCII 1 semicolon)

function(list_names OUT FILTER)
    # The exit status is the number of tests.
    execute_process(COMMAND "${PROGRAM}" --list-test-names-only ${FILTER} OUTPUT_VARIABLE output ERROR_VARIABLE errors)
    if(errors)
        message(FATAL_ERROR "${PROGRAM} cannot list its tests: ${errors}")
    endif()
    if(output MATCHES "[][]")
        message(FATAL_ERROR "${PROGRAM}: brackets in a test's name confuse both Catch and CMake: ${output}")
    endif()
    string(REPLACE ";" "${semicolon}" output "${output}")
    string(REGEX REPLACE "\n+$" "" output "${output}")
    string(REPLACE "\n" ";" output "${output}")
    set(${OUT} "${output}" PARENT_SCOPE)
endfunction()

list_names(names "")
list_names(serial "[serial]")
list_names(long "[long]")

set(script "")
foreach(name IN LISTS names)
    string(REGEX REPLACE "([\\\\,\"])" "\\\\\\1" filter "${name}")
    string(APPEND script "add_test([==[${name}]==] [==[${PROGRAM}]==] [==[${filter}]==] --warn NoTests)\n")
    set(timeout ${TIMEOUT})
    if(name IN_LIST long)
        math(EXPR timeout "2 * ${TIMEOUT}")
    endif()
    string(APPEND script "set_tests_properties([==[${name}]==] PROPERTIES LABELS ${LABEL} TIMEOUT ${timeout}")
    if(FIXTURE)
        string(APPEND script " FIXTURES_REQUIRED ${FIXTURE}")
    endif()
    if(name IN_LIST serial)
        string(APPEND script " RUN_SERIAL TRUE")
    endif()
    string(APPEND script ")\n")
endforeach()
string(REPLACE "${semicolon}" ";" script "${script}")
file(WRITE "${OUTPUT}" "${script}")
