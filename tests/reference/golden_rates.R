# Writes golden/rates.json: person-time and events per 100 person-years with exact Poisson limits, by arm.
# Needs what golden.R needs. Usage, from this folder: Rscript golden_rates.R
# On a grid of months a time is the end of its month, as everywhere on that grid.
source("golden_functions.R")

rates <- function(t, event, a, horizon) { event <- event & t <= horizon; t <- pmin(t, horizon)
  lapply(list(control = 0, treated = 1), function(k) { p <- poisson.test(sum(event[a == k]), sum(t[a == k]) / 36525)
    list(events = sum(event[a == k]), person_days = sum(t[a == k]), rate = unname(p$estimate), low = p$conf.int[1], high = p$conf.int[2]) }) }

all <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); d <- all[!is.na(all$fish), ]; a <- as.integer(d$regimen == "IsaPd")
month <- function(t) ceiling(t / 30.4375) * 30.4375
progression <- d$pfs_event == 1 & !is.na(d$progression_date); death <- d$pfs_event == 1 & is.na(d$progression_date)
save_json(list(
  pfs_day = rates(d$pfs_days, d$pfs_event == 1, a, Inf), os_day = rates(d$os_days, d$death == 1, a, Inf),
  pfs_month = rates(month(d$pfs_days), d$pfs_event == 1, a, Inf), os_year = rates(d$os_days, d$death == 1, a, 365),
  progression_day = rates(d$pfs_days, progression, a, Inf), death_day = rates(d$pfs_days, death, a, Inf)), "rates")
