/* What `ragstack logs` adds up: cost by model, the slowest questions, what went wrong. */
#ifndef RAGSTACK_CMD_LOG_SUMMARY_H
#define RAGSTACK_CMD_LOG_SUMMARY_H

#include "cmd/ragstack/log_sources.h"

/* The rows of --cost, --slow, --errors and --insights. */
#define LOG_SUMMARY_OPTIONS                                                                     \
    {"cost", 0, NULL, false, NULL, "add up what the questions cost, by model"},                 \
        {"slow", 0, "N", false, NULL, "the N slowest questions, with their phases"},            \
        {"errors", 0, NULL, false, NULL, "what went wrong, by its cause, and how often"},       \
    {                                                                                           \
        "insights", 0, "WHEN", false, "auto|always|never",                                      \
            "add up by Logs Insights, which is paid by what it scans (auto: above three hours)" \
    }

bool log_summary_said(const struct session *session);
/* Of these sources, from the option --since (a day, when it is not said) up to --until. */
int log_summary_run(struct task *task, struct session *session,
                    const struct log_source_list *sources, struct error *error);

#endif
