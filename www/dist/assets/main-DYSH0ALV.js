import{g as m}from"./site-jmIlx6FO.js";/* empty css             */m();
